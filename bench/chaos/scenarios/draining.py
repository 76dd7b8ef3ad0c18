"""The service is told to end while streams run and requests come."""

from __future__ import annotations

import asyncio
import math
import signal
import time

from bench.chaos.client import QUESTION, Client, Reply
from bench.chaos.load import closed, paced, reasons
from bench.chaos.row import Row, exactly, took
from bench.chaos.stage import Stage, stage
from upstreams import Answer

_STREAMS = 50
_RATE = 50
_DRAIN_DELAY = 4.0  # seconds in which new connections are still served
_TURNS_AWAY = 1.0  # seconds after which the load balancer, that is the callers, has turned away
_PIECES = tuple(f"piece {number} " for number in range(20))


async def drain(scale: float) -> list[Row]:
    """SIGTERM under 50 streams and 50 requests a second, whose callers stop within the delay."""
    del scale  # it takes seconds anyway
    async with stage(
        ("openai", "fireworks"), DRAIN_DELAY=str(_DRAIN_DELAY), RELOAD_WATCH="false"
    ) as playing:
        playing.vendors["openai"].up.answer = Answer(
            text="".join(_PIECES), pieces=_PIECES, delay=0.25
        )
        streams, replies, unready, code = await _end_under_load(playing)
    failed = [reply for reply in replies if not reply.good]
    cut = [reply for reply in streams if not reply.good]
    return [
        exactly(
            "drain",
            "failed requests",
            len(failed),
            0,
            note=f"{len(replies)} requests {reasons(replies)}",
        ),
        exactly("drain", "cut streams", len(cut), 0, note=f"{len(streams)} streams"),
        took("drain", "readiness says no after", unready, 0.1),
        exactly("drain", "exit code", code, 0),
    ]


async def _end_under_load(playing: Stage) -> tuple[list[Reply], list[Reply], float, int]:
    fresh, kept = Client(playing.service.port, keep=False), playing.client
    await closed(lambda _: kept.ask(QUESTION), requests=100, callers=4)  # warm
    streams = [
        asyncio.ensure_future(fresh.ask({**QUESTION, "stream": True})) for _ in range(_STREAMS)
    ]
    stop = asyncio.Event()
    load = asyncio.ensure_future(
        paced(
            lambda number: (kept if number % 2 else fresh).ask(QUESTION),
            rate=_RATE,
            seconds=30,
            until=stop,
        )
    )
    await asyncio.sleep(1.5)
    told = time.perf_counter()
    ending = asyncio.ensure_future(playing.service.end(signal.SIGTERM))
    looking = asyncio.ensure_future(_until_unready(fresh, told))
    await asyncio.sleep(_TURNS_AWAY)
    stop.set()
    unready = await looking
    return list(await asyncio.gather(*streams)), await load, unready, await ending


async def _until_unready(client: Client, told: float) -> float:
    while time.perf_counter() - told < _DRAIN_DELAY:
        reply = await client.ask(path="/health/ready")
        if reply.status == 503:  # noqa: PLR2004 - HTTP
            return time.perf_counter() - told
        await asyncio.sleep(0.005)
    return math.inf
