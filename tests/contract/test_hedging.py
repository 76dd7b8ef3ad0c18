"""A slow vendor and a quick one, asked at once through real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contract.subjects import ANSWER, BACKUP, Pair, Subject, chain_over
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.models.stream import Beginning
from llm.streaming_doubles import Listener
from upstreams import Upstream

_SUBJECT = Subject("openai", "openai", settings={"HEDGE_AFTER": "p95"})
_KNOWN = 20  # answers from which a provider's pace is known, and which pay for an extra call
_STALLS = {False: "stalled_headers", True: "stream_stall_before_content"}


async def _ask(pair: Pair, *, live: bool) -> tuple[Any, Listener]:
    listener = Listener()
    options = {"listener": listener} if live else {}
    return await pair.router.generate("Why?", **options), listener


@pytest.mark.parametrize("live", [False, True], ids=["plain", "live"])
async def test_the_quick_one_answers_and_the_slow_one_is_let_go(
    transport: Transport, *, live: bool
) -> None:
    """Once the first takes longer than ever, the second is asked; the first's connection closes."""
    async with (
        Upstream("openai", answer=ANSWER) as up,
        Upstream("openai", answer="From the backup.") as backup,
    ):
        pair = chain_over(_SUBJECT, up, backup, transport, timeout=30)
        for _ in range(_KNOWN):
            await _ask(pair, live=live)
        assert not backup.requests
        up.always(_STALLS[live])
        idle = len(asyncio.all_tasks())
        async with asyncio.timeout(10):
            answer, listener = await _ask(pair, live=live)
            await up.until(lambda up: up.disconnects and not up.connections.open)
        assert (answer.provider, answer.content) == (BACKUP, "From the backup.")
        assert [attempt.outcome for attempt in answer.attempts] == ["lost", "ok"]
        assert pair.witness.seen[-2:] == [("hedge", "openai", BACKUP, "won"), ("answer", BACKUP)]
        assert {attempt.outcome for attempt in pair.witness.attempts} == {"ok"}
        assert len(asyncio.all_tasks()) <= idle, "one connection for another, and nothing else"
        if live:
            assert listener.text.strip() == "From the backup."
            beginning = next(item for item in listener.heard if isinstance(item, Beginning))
            assert [attempt.outcome for attempt in beginning.attempts] == ["lost"]
