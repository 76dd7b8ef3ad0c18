"""A provider that comes back: who finds out, and how soon it is used again."""

from __future__ import annotations

import asyncio
import math
import statistics
import time

from bench.chaos.client import QUESTION, Reply
from bench.chaos.load import closed, good_share, paced
from bench.chaos.row import Row, exactly, share, took
from bench.chaos.stage import Stage, stage
from upstreams.faults import delayed

_MANY = 200
_ANSWER_SECONDS = 1.0  # the provider takes that long when it is back: all the others come before
_OPEN_SECONDS = 1.2  # a breaker stays open for at most 1 s the first time
_OUTAGE_SECONDS = 1.0


async def half_open(scale: float) -> list[Row]:
    """Two hundred requests come at once when the breaker is half-open."""
    del scale  # the crowd is the point
    async with stage(("openai", "fireworks")) as playing:
        subject = playing.vendors["openai"]
        await _open_breaker(playing)
        subject.calls, subject.mood = 0, delayed(_ANSWER_SECONDS)
        await asyncio.sleep(_OPEN_SECONDS)
        asking = asyncio.ensure_future(_crowd(playing))
        await asyncio.sleep(_ANSWER_SECONDS * 0.9)
        probes = subject.calls
        replies = await asking
        # What comes after the probe's answer finds the breaker closed.
        await playing.client.ask(QUESTION)
        closed_again = subject.calls > probes
    return [
        exactly("half-open", f"probes for {_MANY} requests at once", probes, 1),
        share("half-open", "success of those requests", good_share(replies), 1.0),
        exactly("half-open", "provider asked again afterwards", int(closed_again), 1),
    ]


async def recovery(scale: float) -> list[Row]:
    """A provider is away for a second; time from its return to the first answer by it."""
    rounds = max(2, int(10 * scale))
    async with stage(("openai", "fireworks")) as playing:
        times, replies = [], []
        for _ in range(rounds):
            ended = asyncio.Event()
            load = asyncio.ensure_future(
                paced(lambda _: playing.client.ask(QUESTION), rate=50, seconds=30, until=ended)
            )
            times.append(await _outage(playing))
            ended.set()
            replies += await load
        worst, usual = max(times), 1000 * statistics.median(times)
    note = f"worst of {rounds} outages of {_OUTAGE_SECONDS:.0f} s; median {usual:.0f} ms"
    return [
        took("recovery", "back in use after a short outage", worst, 2.0, note=note),
        share("recovery", "success meanwhile", good_share(replies), 0.9999),
    ]


async def _outage(playing: Stage) -> float:
    subject = playing.vendors["openai"]
    await asyncio.sleep(0.5)  # in use
    subject.mood = "status_503"
    await asyncio.sleep(_OUTAGE_SECONDS)
    subject.mood, returned = "chunked", time.perf_counter()
    while time.perf_counter() - returned < 10:  # noqa: PLR2004 - long enough for any verdict
        reply = await playing.client.ask(QUESTION)
        if reply.provider == "openai":
            return time.perf_counter() - returned
        await asyncio.sleep(0.01)
    return math.inf


async def _open_breaker(playing: Stage) -> None:
    playing.vendors["openai"].mood = "status_500"
    await _asks(playing, 20)


async def _asks(playing: Stage, requests: int) -> None:
    await closed(lambda _: playing.client.ask(QUESTION), requests=requests, callers=4)


async def _crowd(playing: Stage) -> list[Reply]:
    return await closed(lambda _: playing.client.ask(QUESTION), requests=_MANY, callers=_MANY)
