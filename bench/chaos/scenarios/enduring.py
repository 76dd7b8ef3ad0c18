"""Many requests of every kind, many of which fail or are left: nothing is to pile up."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from bench.chaos.client import QUESTION, Reply
from bench.chaos.load import closed
from bench.chaos.row import Row, exactly
from bench.chaos.service import Inside
from bench.chaos.stage import Stage, stage
from upstreams import Exchange, answer_well, fault_for

_CALLERS = 16
_MEGABYTE = 1 << 20
_FAULTS = (
    "status_500",
    "rate_limit_ms",
    "reset_in_body",
    "cut_chunks",
    "truncated_json",
    "empty_text",
    "stream_cut_after_content",
    "stream_garbage",
    "idle_close",
    "slow_drip",
)
_TROUBLESHOOT = "/api/v1/query/troubleshoot"


async def endurance(scale: float) -> list[Row]:
    """Plain, streamed and troubleshooting requests: some fail upstream, some callers leave."""
    requests, dice = max(1000, int(100_000 * scale)), random.Random(3)  # noqa: S311 - no secret
    async with stage(("openai", "fireworks", "openrouter"), LOG_LEVEL="warning") as playing:
        warm = requests // 5
        await _play(playing, dice, requests=warm)
        before = await _at_rest(playing)
        replies = await _play(playing, dice, requests=requests - warm)
        after = await _at_rest(playing)
    unanswered = sum(reply.status == 0 and reply.seconds > _LONG for reply in replies)
    grown = (after.resident - before.resident) / _MEGABYTE
    note = f"from {before.resident / _MEGABYTE:.1f} MB; {requests} requests"
    return [
        Row(
            "endurance", "memory grown after warm-up", grown, 1.0, unit="MB", kind="time", note=note
        ),
        Row(
            "endurance",
            "objects a request that only the garbage collector found",
            (after.found - before.found) / (requests - warm),
            _FOUND,
        ),
        exactly("endurance", "tasks at rest", after.tasks, before.tasks),
        exactly("endurance", "connections to upstreams that nobody gave back", after.busy, 0),
        Row("endurance", "more open files at rest", after.files - before.files, 0),
        exactly("endurance", "requests left without answer or error", unanswered, 0),
    ]


_LONG = 10.0  # seconds
_FOUND = 1.0  # one ring of a failed request has a hundred
_KEPT_SECONDS = 31.0  # the pool keeps an idle connection for 30 s


class _Moods:
    """Fails one request in five, in another way each time."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    async def __call__(self, exchange: Exchange) -> None:
        fails = self._dice.random() < 0.2  # noqa: PLR2004 - one in five
        name = self._dice.choice(_FAULTS)
        await (fault_for("openai", name) if fails else answer_well)(exchange)


async def _play(playing: Stage, dice: random.Random, *, requests: int) -> list[Reply]:
    for vendor in playing.vendors.values():
        vendor.mood = _Moods(dice)
    return await closed(
        lambda number: _ask(playing, dice, number), requests=requests, callers=_CALLERS
    )


async def _ask(playing: Stage, dice: random.Random, number: int) -> Reply:
    leave = dice.random() * 0.02 if dice.random() < 0.1 else _LONG + 1  # noqa: PLR2004 - a tenth
    if number % 10 == 0:
        query = {"session_id": f"s-{number % 100}", "query": "Why is the disk full?"}
        return await playing.client.ask(query, path=_TROUBLESHOOT, leave_after=leave)
    body: dict[str, Any] = {**QUESTION, "stream": number % 3 == 0}
    return await playing.client.ask(body, leave_after=leave)


async def _at_rest(playing: Stage) -> Inside:
    """Once idle connections to upstreams are as old as the pool keeps them; then one request."""
    for vendor in playing.vendors.values():
        vendor.mood = "chunked"
    await playing.client.aclose()
    await asyncio.sleep(_KEPT_SECONDS)
    await playing.client.ask(QUESTION)
    await playing.client.aclose()
    await asyncio.sleep(1.0)
    return await playing.service.inside()
