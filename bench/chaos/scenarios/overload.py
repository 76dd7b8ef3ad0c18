"""More is asked than the service can do: it does what it can, and refuses the rest at once."""

from __future__ import annotations

import asyncio

from bench.chaos.client import QUESTION, Client, Reply
from bench.chaos.load import closed, paced, quantile
from bench.chaos.row import Row, exactly, share, took
from bench.chaos.stage import Stage, stage
from upstreams.faults import delayed

_UPSTREAM_SECONDS = 0.05
_TIMES = 3
_UNAVAILABLE = 503
_PLACES, _QUEUE = 64, 16


async def overload(scale: float) -> list[Row]:
    """Three times the peak is offered by callers who do not wait for each other."""
    seconds = max(3.0, 20 * scale)
    # As many places as keep the service busy: more would only make everybody wait.
    async with stage(
        ("openai", "fireworks"),
        MAX_IN_FLIGHT=str(_PLACES),
        MAX_QUEUE=str(_QUEUE),
        LOG_LEVEL="error",
    ) as playing:
        for vendor in playing.vendors.values():
            vendor.mood = delayed(_UPSTREAM_SECONDS)
        peak = await _peak(playing, seconds)
        over = asyncio.Event()
        looking = asyncio.ensure_future(_look(playing, over))
        replies = await paced(
            lambda _: playing.client.ask(QUESTION), rate=_TIMES * peak, seconds=seconds
        )
        over.set()
        lives = await looking
    answered = [reply for reply in replies if reply.good]
    refused = [reply.seconds for reply in replies if reply.status == _UNAVAILABLE]
    other = len(replies) - len(answered) - len(refused)
    goodput = len(answered) / (seconds + _tail(replies))
    note = f"peak {peak:.0f}/s, offered {_TIMES * peak:.0f}/s, goodput {goodput:.0f}/s"
    return [
        share("overload", "goodput, of peak", goodput / peak, 0.9, note=note),
        took(
            "overload",
            "refusals, 99 of 100 within",
            quantile(refused, 0.99) if refused else 0.0,
            0.010,
            note=f"{len(refused)} of {len(replies)}; median {1000 * quantile(refused, 0.5):.1f} ms",
        ),
        exactly("overload", "neither answered nor refused", other, 0),
        took("overload", "/health/live, 99 of 100 within", quantile(lives, 0.99), 0.1),
    ]


async def _peak(playing: Stage, seconds: float) -> float:
    """The most answers a second, over several numbers of callers."""
    best = 0.0
    loop = asyncio.get_running_loop()
    for callers in (16, 32, 64):
        started = loop.time()
        replies = await closed(
            lambda _: playing.client.ask(QUESTION),
            requests=int(100 * seconds),
            callers=callers,
        )
        rate = sum(reply.good for reply in replies) / (loop.time() - started)
        best = max(best, rate)
    return best


async def _look(playing: Stage, over: asyncio.Event) -> list[float]:
    """How long the simplest question takes meanwhile."""
    client, seconds = Client(playing.service.port), []
    while not over.is_set():
        seconds.append((await client.ask(path="/health/live")).seconds)
        await asyncio.sleep(0.05)
    await client.aclose()
    return seconds


def _tail(replies: list[Reply]) -> float:
    """Seconds after the last was asked in which answers still came: they were earned, too."""
    return max((reply.seconds for reply in replies[-50:] if reply.good), default=0.0)
