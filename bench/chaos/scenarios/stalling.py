"""Upstreams that stall in every way: the caller hears something in time all the same."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack

from bench.chaos.client import QUESTION, Reply
from bench.chaos.load import closed, quantile
from bench.chaos.row import Row, exactly, took
from bench.chaos.scenarios.reloading import reload_now
from bench.chaos.stage import Stage, stage
from upstreams import Exchange, fault_for
from upstreams.proxy import BLACK_HOLE, End, FaultProxy, Line

_STALLS = (
    "stalled_headers",
    "stalled_body",
    "endless_drip",
    "stream_stall_before_content",
    "stream_pings_before_content",
    "stream_stall_after_content",
    "stream_pings_after_content",
    "slow_drip",
)
_LINES = (
    BLACK_HOLE,
    Line(after=40, end=End.SILENT),
    Line(delay=3.0),
    Line(rate=60),
    Line(),
)
_DEADLINES = (0.5, 1.0, 1.5)  # seconds
_CALLERS = 20


async def stalls(scale: float) -> list[Row]:
    """Three providers stall at random, in their servers and on the way; half are streams."""
    requests, dice = max(60, int(1000 * scale)), random.Random(2)  # noqa: S311 - no secret
    async with stage(("openai", "fireworks", "openrouter")) as playing, AsyncExitStack() as lines:
        proxies: list[FaultProxy] = []
        for name, vendor in playing.vendors.items():
            proxy = await lines.enter_async_context(FaultProxy(vendor.up.port))
            playing.variables[f"{name.upper()}_API_BASE"] = vendor.up.base_url.replace(
                vendor.up.origin, proxy.origin
            )
            proxies.append(proxy)
        playing.service.configure(playing.variables)
        await reload_now(playing)
        await closed(lambda _: playing.client.ask(QUESTION), requests=100, callers=_CALLERS)
        for proxy, vendor in zip(proxies, playing.vendors.values(), strict=True):
            proxy.script(*(dice.choice(_LINES) for _ in range(3 * requests)))
            vendor.mood = _Moods(dice)
        late: list[float] = []
        replies = await closed(
            lambda number: _ask(playing, number, late), requests=requests, callers=_CALLERS
        )
    silent = sum(reply.status == 0 for reply in replies)
    note = f"99 of 100 within {1000 * quantile(late, 0.99):.0f} ms; {requests} requests"
    return [
        took("stalls", "latest answer or error after its deadline", max(late), 0.1, note=note),
        exactly("stalls", "requests without answer or error", silent, 0),
    ]


class _Moods:
    """Another stall each time."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    async def __call__(self, exchange: Exchange) -> None:
        await fault_for("openai", self._dice.choice(_STALLS))(exchange)


async def _ask(playing: Stage, number: int, late: list[float]) -> Reply:
    deadline = _DEADLINES[number % len(_DEADLINES)]
    body = {**QUESTION, "stream": bool(number % 2)}
    reply = await playing.client.ask(
        body, headers={"x-request-timeout": str(deadline)}, leave_after=30
    )
    late.append(reply.seconds - deadline)
    return reply
