"""Identical questions in flight at the same time, as the agent answers them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from answering import Answering, RedactingChain
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse
from faultmaven.models.prompt import Target
from faultmaven.models.session import Turn
from faultmaven.services.agent import AgentService
from faultmaven.services.memory_sessions import MemorySessionStore

LOG = {"name": "a.log", "content": "quiet\n" * 10_000 + "Exit Code: 137"}
QUOTING = json.dumps({"summary": "s", "evidence": ["Exit Code: 137"]})


class WritingChain(RedactingChain):
    """Has the prompt written for a small window, as a chain does before it asks."""

    async def generate(self, prompt: str, **kwargs: Any) -> Any:
        """Have it written, then answer."""
        kwargs["render"](Target("answering", "model-1", 4_000))
        return await super().generate(prompt, **kwargs)


def _request(session_id: str = "s", **fields: Any) -> TroubleshootRequest:
    fields = {"session_id": session_id, "query": "Why?", **fields}
    return TroubleshootRequest.model_validate(fields)


async def _together(
    service: AgentService, *requests: TroubleshootRequest
) -> list[TroubleshootResponse]:
    """Ask all at once, as if their bodies were the same."""
    asking = (
        service.troubleshoot(request, request_id=f"req-{number}", fingerprint=b"same")
        for number, request in enumerate(requests)
    )
    return await asyncio.gather(*asking)


async def test_each_has_a_response_of_its_own() -> None:
    """Asked once; ids differ, all that was found out and warned of does not; all turns are kept."""
    provider, sessions = WritingChain(QUOTING), MemorySessionStore(clock=lambda: 0.0)
    service = AgentService(provider, sessions=sessions)

    first, second = await _together(service, *[_request(attachments=[LOG])] * 2)

    assert len(provider.prompts) == 1
    assert (first.request_id, second.request_id) == ("req-0", "req-1")
    assert first.investigation_id != second.investigation_id
    own = {"request_id", "investigation_id", "created_at", "completed_at", "response_time_ms"}
    assert first.model_dump(exclude=own) == second.model_dump(exclude=own)
    assert [evidence.verified for evidence in second.evidence] == [True]
    assert len(second.warnings) == 1
    assert "longer" in second.warnings[0]
    kept = await sessions.get("s")
    assert kept is not None
    assert [turn.role for turn in kept.turns] == ["user", "assistant"] * 2


async def test_another_history_is_another_question() -> None:
    """What a session has heard shapes the answer, and so whose answer it may be."""
    sessions = MemorySessionStore(clock=lambda: 0.0)
    for name, said in (("a", "x"), ("b", "x"), ("c", "y")):
        await sessions.append(name, [Turn("user", said, 0.0)])
    provider = Answering()
    service = AgentService(provider, sessions=sessions)

    await _together(service, *map(_request, "abc"))

    assert len(provider.prompts) == 2
