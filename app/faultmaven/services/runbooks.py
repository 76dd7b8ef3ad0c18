"""Runbooks for a question, through whatever tool finds them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from faultmaven.errors import FaultMavenError
from faultmaven.knowledge.library import Runbook
from faultmaven.knowledge.retrieval import RunbookMatch
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.interfaces import ITool

_log = logging.getLogger(__name__)

_TOOL = "runbooks"


async def fitting_runbooks(
    tools: Iterable[ITool], request: TroubleshootRequest
) -> tuple[Runbook, ...]:
    """Runbooks that may fit, best first; none without the tool, or when it fails."""
    text = "\n".join((request.query, *(a.content for a in request.attachments)))
    for tool in tools:
        if tool.name == _TOOL:
            return await _ask(tool, text)
    return ()


async def _ask(tool: ITool, text: str) -> tuple[Runbook, ...]:
    try:
        found = await tool.run(text)
    except FaultMavenError as error:
        _log.warning("answering without runbooks: %s", error)
        return ()
    return tuple(match.runbook for match in found if isinstance(match, RunbookMatch))
