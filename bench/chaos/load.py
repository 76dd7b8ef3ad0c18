"""Callers in numbers: as fast as the service lets them, or at a pace of their own."""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bench.chaos.client import Reply

Ask = Callable[[int], Awaitable[Reply]]
"""Asks question number so-and-so."""


async def closed(ask: Ask, *, requests: int, callers: int) -> list[Reply]:
    """So many callers, each asking again as soon as it has its answer."""
    numbers = iter(range(requests))
    replies: list[Reply] = []

    async def call() -> None:
        for number in numbers:
            reply = await ask(number)
            replies.append(_slim(reply))

    await asyncio.gather(*(call() for _ in range(callers)))
    return replies


async def paced(
    ask: Ask, *, rate: float, seconds: float, until: asyncio.Event | None = None
) -> list[Reply]:
    """So many requests a second, whatever becomes of those before.

    Args:
        ask: asks one.
        rate: requests a second.
        seconds: how long.
        until: ends it early once it is set.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    tasks: list[asyncio.Task[Reply]] = []
    for number in range(math.ceil(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - loop.time()))
        if until is not None and until.is_set():
            break
        tasks.append(asyncio.ensure_future(_one(ask, number)))
    return list(await asyncio.gather(*tasks))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies; not a number where there is none."""
    if not values:
        return math.nan
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def good_share(replies: Sequence[Reply]) -> float:
    """Share of whole answers; 0 where nothing was asked."""
    return sum(reply.good for reply in replies) / len(replies) if replies else 0.0


def reasons(replies: Sequence[Reply]) -> str:
    """What became of those that were not answered, the most frequent first; empty for none."""
    bad = Counter(_reason(reply) for reply in replies if not reply.good)
    return ", ".join(f"{count} times {reason}" for reason, count in bad.most_common(3))


def _reason(reply: Reply) -> str:
    code = re.search(rb'"code": ?"(\w+)"', reply.body)
    if code is not None:
        return f"{reply.status} {code[1].decode()}"
    return str(reply.status) if reply.status else reply.body.decode(errors="replace")[:60]


async def _one(ask: Ask, number: int) -> Reply:
    return _slim(await ask(number))


def _slim(reply: Reply) -> Reply:
    """Without the body of an answer: thousands are kept, and nobody looks at it again."""
    return replace(reply, body=b"") if reply.good else reply
