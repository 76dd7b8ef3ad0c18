"""Runbooks for a question, through whatever tool finds them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from faultmaven.errors import FaultMavenError
from faultmaven.knowledge.library import Runbook
from faultmaven.knowledge.retrieval import RunbookMatch
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.interfaces import ITool
from faultmaven.services.condensing import Condenser

_log = logging.getLogger(__name__)

_TOOL = "runbooks"
_SEARCHED = 200_000  # characters; looking through that many takes some 10 ms


def searched_text(request: TroubleshootRequest, condenser: Condenser) -> str:
    """What runbooks are looked for in: all that was sent, or what of long texts tells most."""
    texts = (request.query, *(a.content for a in request.attachments))
    if request.chars > _SEARCHED:
        texts = tuple(condenser.fitted(text, _SEARCHED // len(texts)) for text in texts)
    return "\n".join(texts)


async def fitting_runbooks(tools: Iterable[ITool], text: str) -> tuple[Runbook, ...]:
    """Runbooks that may fit, best first; none without the tool, or when it fails."""
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
