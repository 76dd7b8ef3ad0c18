"""What each kind of request costs the service."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from cost.comparison import Costs
from cost.counting import CountingLoop, Tally
from cost.service import Caller, Question, serving
from cost.upstream import InstantUpstream
from faultmaven.infrastructure.observability.logs import configure_logging

CHAT = "chat"
CHAT_AMONG_ALL = "chat, all providers configured"
"""The same, where the chain could go on to everybody in `PROVIDER_SCHEMA`."""

_ROUNDS = 3
_REQUESTS = 6  # in a round
_WARM_UP = 20  # requests, until everything is there that is worked out once
_FEW, _MANY = 20, 60  # pieces of a stream

_TEXT = "Why is my pod OOMKilled ({n})? kubectl says exit code 137, and the limit is 512Mi."
_SAID: Mapping[str, Any] = {
    "model": "auto",
    "messages": [{"role": "user", "content": _TEXT}],
    "max_tokens": 200,
}
_CHAT = Question("/v1/chat/completions", _SAID)
_STREAM = Question("/v1/chat/completions", {**_SAID, "stream": True})
_MESSAGES = Question("/v1/messages", _SAID)
_TROUBLESHOOT = Question(
    "/api/v1/query/troubleshoot", {"session_id": "incident-{n}", "query": _TEXT}
)


def measure() -> dict[str, Costs]:
    """Measure every kind of request; the same code gives the same numbers each time."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner, _undisturbed():
        return runner.run(_measure())


async def _measure() -> dict[str, Costs]:
    return {
        CHAT: await _costs_of(_CHAT),
        CHAT_AMONG_ALL: await _costs_of(_CHAT, everybody=True),
        **_parts_of_a_stream(
            few=await _costs_of(_STREAM, InstantUpstream(_FEW)),
            many=await _costs_of(_STREAM, InstantUpstream(_MANY)),
        ),
        "messages": await _costs_of(_MESSAGES),
        "troubleshoot": await _costs_of(_TROUBLESHOOT),
    }


def _parts_of_a_stream(*, few: Costs, many: Costs) -> dict[str, Costs]:
    """What grows with the pieces, and what does not.

    Memory stays whole: a piece holds so little that chance would show.
    """
    piece = {name: (many[name] - few[name]) / (_MANY - _FEW) for name in ("calls", "steps")}
    rest = {name: few[name] - _FEW * piece[name] for name in piece}
    return {
        f"stream of {_MANY} pieces": {"bytes": many["bytes"]},
        "stream, but for its pieces": rest,
        "piece of a stream": piece,
    }


async def _costs_of(
    question: Question, upstream: InstantUpstream | None = None, *, everybody: bool = False
) -> Costs:
    async with serving(upstream or InstantUpstream(), everybody=everybody) as caller:
        for _ in range(_WARM_UP):
            await caller.ask(question)
        rounds = [await _round(caller, question) for _ in range(_ROUNDS)]
    return {name: median(costs[name] for costs in rounds) for name in rounds[0]}


async def _round(caller: Caller, question: Question) -> Costs:
    gc.collect()
    tally = await _tally(caller, question)
    return {
        "calls": tally.calls / _REQUESTS,
        "steps": tally.steps / _REQUESTS,
        "bytes": await _bytes_held(caller, question),
    }


async def _tally(caller: Caller, question: Question) -> Tally:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, CountingLoop)
    loop.tally = tally = Tally()
    await asyncio.sleep(0)  # counting begins with the next step
    tally.steps = -1  # the last one will be ours
    for _ in range(_REQUESTS):
        await caller.ask(question)
    await asyncio.sleep(0)  # what the last request left to be done
    loop.tally = None
    return tally


async def _bytes_held(caller: Caller, question: Question) -> float:
    """The most memory that a request adds to what is in use when it comes."""
    peaks = []
    tracemalloc.start()
    for _ in range(_REQUESTS):
        before, _peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await caller.ask(question)
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    tracemalloc.stop()
    return median(peaks)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nothing be decided by the time that passes, and log as in production, to nowhere."""
    interval, stream = sys.getswitchinterval(), sys.stderr
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stderr = nowhere  # lines go to what it is when they are written
        configure_logging()
        gc.disable()
        gc.freeze()  # what is there already need not be looked through again and again
        sys.setswitchinterval(60)  # seconds: threads take turns only where they wait
        try:
            yield
        finally:
            logging.getLogger().handlers[-1].close()  # writes what waits for the end of its moment
            sys.stderr = stream
            sys.setswitchinterval(interval)
            gc.unfreeze()
            gc.enable()
