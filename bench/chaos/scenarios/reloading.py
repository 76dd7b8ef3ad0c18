"""The operator changes the chain while requests come."""

from __future__ import annotations

import asyncio
import math
import time

from bench.chaos.client import QUESTION, Reply
from bench.chaos.load import closed, good_share, paced
from bench.chaos.row import Row, exactly, took
from bench.chaos.service import ADMIN_KEY, Inside
from bench.chaos.stage import Stage, chain_of, stage, variables_of, vendor

_RATE = 50
_MEGABYTE = 1 << 20


async def reload(scale: float) -> list[Row]:
    """A new provider is put first at 50 requests a second; then the chain changes 100 times."""
    async with stage(("openai", "fireworks"), RELOAD_WATCH="false") as playing:
        failed, asked, in_use = await _new_provider(playing, max(4.0, 10 * scale))
        before, after, rejected = await _many(playing, max(10, int(100 * scale)))
    grown = (after.resident - before.resident) / _MEGABYTE
    return [
        took("reload", "new provider in use after", in_use, 2.0),
        exactly("reload", "failed requests meanwhile", failed, 0, note=f"{asked} requests"),
        exactly("reload", "reloads that were refused", rejected, 0),
        exactly("reload", "tasks after many reloads", after.tasks, before.tasks),
        Row("reload", "open files after many reloads", after.files - before.files, 0),
        Row("reload", "memory after many reloads", grown, 1.0, unit="MB", kind="time"),
    ]


async def _new_provider(playing: Stage, seconds: float) -> tuple[int, int, float]:
    async with vendor("openrouter") as new:
        load = asyncio.ensure_future(
            paced(lambda _: playing.client.ask(QUESTION), rate=_RATE, seconds=seconds)
        )
        await asyncio.sleep(seconds / 3)
        further = variables_of("openrouter", new.up) | chain_of(("openrouter", "openai"))
        playing.service.configure(playing.variables | further)
        changed = time.perf_counter()
        await reload_now(playing)
        in_use = await _until_used(playing, changed)
        replies = await load
        # Back again, while its upstream is still there: nobody is to notice that either.
        playing.service.configure(playing.variables)
        await reload_now(playing)
        replies += await closed(lambda _: playing.client.ask(QUESTION), requests=50, callers=2)
    failed = round(len(replies) * (1 - good_share(replies)))
    return failed, len(replies), in_use


async def _until_used(playing: Stage, changed: float) -> float:
    while time.perf_counter() - changed < 10:  # noqa: PLR2004 - long enough for any verdict
        if (await playing.client.ask(QUESTION)).provider == "openrouter":
            return time.perf_counter() - changed
        await asyncio.sleep(0.01)
    return math.inf


async def _many(playing: Stage, times: int) -> tuple[Inside, Inside, int]:
    """What the process holds before and after; how many reloads were refused."""
    await _back_and_forth(playing, 20)
    before = await _at_rest(playing)
    rejected = await _back_and_forth(playing, times)
    return before, await _at_rest(playing), rejected


async def _back_and_forth(playing: Stage, times: int) -> int:
    rejected = 0
    for number in range(times):
        order = ("openai", "fireworks") if number % 2 else ("fireworks", "openai")
        playing.service.configure(playing.variables | chain_of(order))
        reply = await reload_now(playing)
        rejected += reply.status != 200  # noqa: PLR2004 - HTTP
        await playing.client.ask(QUESTION)
    return rejected


async def _at_rest(playing: Stage) -> Inside:
    await playing.client.aclose()
    await asyncio.sleep(1.0)
    return await playing.service.inside()


async def reload_now(playing: Stage) -> Reply:
    """Have the configuration read again."""
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    return await playing.client.ask({}, path="/api/v1/admin/reload", headers=headers)
