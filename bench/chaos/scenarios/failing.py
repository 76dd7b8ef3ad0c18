"""Providers that fail: two of four for good, all of them now and then, one for a minute."""

from __future__ import annotations

import random
import statistics

from bench.chaos.client import QUESTION, Reply
from bench.chaos.load import closed, good_share, paced, reasons
from bench.chaos.row import Row, share, took
from bench.chaos.stage import Stage, stage
from upstreams import Exchange, answer_well
from upstreams.faults import behaviour_of

_CALLERS = 16
_ALIKE = ("openai", "fireworks", "openrouter", "huggingface")  # one wire format: times compare
_FAULTS = ("status_500", "reset_in_body", "truncated_json")


async def dead(scale: float) -> list[Row]:
    """Two of four providers are down: one refuses connections, one fails every request."""
    requests, timed = max(200, int(20_000 * scale)), max(100, int(1000 * scale))
    async with stage(_ALIKE) as playing:
        await _ask(playing, requests=timed, callers=1)  # warm
        healthy = await _ask(playing, requests=timed, callers=1)
        await playing.vendors["openai"].up.stop()
        playing.vendors["fireworks"].mood = "status_500"
        replies = await _ask(playing, requests=requests // 2, callers=_CALLERS)
        opened = await _ask(playing, requests=timed, callers=1)
        replies += opened + await _ask(playing, requests=requests // 2, callers=_CALLERS)
        added = _median(opened) - _median(healthy)
        base = f"{1000 * _median(healthy):.2f} ms with all four well"
    return [
        share(
            "dead",
            f"success, 2 of 4 down, {len(replies)} requests",
            good_share(replies),
            0.9999,
            note=reasons(replies),
        ),
        took("dead", "added at the median once circuits are open", added, 0.002, note=base),
    ]


async def random_failures(scale: float) -> list[Row]:
    """Each of three providers fails one request in ten, in one of three ways."""
    requests, dice = max(300, int(20_000 * scale)), random.Random(1)  # noqa: S311 - no secret

    async def moody(exchange: Exchange) -> None:
        fails = dice.random() < 0.1  # noqa: PLR2004 - the tenth
        name = dice.choice(_FAULTS)
        behaviour = behaviour_of(name, "openai") if fails else answer_well
        await behaviour(exchange)

    async with stage(("openai", "fireworks", "openrouter")) as playing:
        for vendor in playing.vendors.values():
            vendor.mood = moody
        replies = await _ask(playing, requests=requests, callers=_CALLERS)
    what = f"success, 3 providers failing 10 % each, {requests} requests"
    return [share("random", what, good_share(replies), 0.999, note=reasons(replies))]


async def outage(scale: float) -> list[Row]:
    """The first of two providers fails completely while 50 requests a second come."""
    seconds = max(3.0, 60 * scale)
    async with stage(("openai", "fireworks")) as playing:
        playing.vendors["openai"].mood = "status_500"
        replies = await paced(lambda _: playing.client.ask(QUESTION), rate=50, seconds=seconds)
        each = playing.calls / len(replies)
        failing = playing.vendors["openai"].calls
    what = f"upstream attempts per request, one provider down for {seconds:.0f} s"
    note = f"{failing} of {playing.calls} attempts went to the one that is down"
    return [
        Row("outage", what, each, 1.20, note=note),
        share("outage", "success meanwhile", good_share(replies), 0.9999, note=reasons(replies)),
    ]


async def _ask(playing: Stage, *, requests: int, callers: int) -> list[Reply]:
    return await closed(lambda _: playing.client.ask(QUESTION), requests=requests, callers=callers)


def _median(replies: list[Reply]) -> float:
    return statistics.median(reply.seconds for reply in replies)
