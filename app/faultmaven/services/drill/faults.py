"""What a stand-in does instead of answering well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from faultmaven.services.drill.call import Call

_LIMIT_PASSES = 3  # seconds; more than anybody waits for while another provider is there

Behaviour = Callable[[Call], Awaitable[None]]
"""How one request is treated."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a provider fails.

    Attributes:
        name: what it is called in the report.
        note: what happens, in a few words.
        behave: what its server does; ``None``: there is no server, connections are refused.
        midway: it befalls streams alone, after part of the answer was heard. Nobody can take that
            back, so surviving means that the caller is told.
    """

    name: str
    note: str
    behave: Behaviour | None
    midway: bool = False


async def answer(call: Call) -> None:
    """Answer well."""
    await call.send(200, call.good)


async def _limit(call: Call) -> None:
    said = {"error": {"message": "Rate limit reached.", "type": "rate_limit_error", "code": 429}}
    await call.fail(429, said, ("retry-after", str(_LIMIT_PASSES)))


async def _break(call: Call) -> None:
    said = {"error": {"message": "Internal error.", "type": "server_error", "code": 500}}
    await call.fail(500, said)


async def _hang(call: Call) -> None:
    del call
    await asyncio.get_running_loop().create_future()


async def _cut(call: Call) -> None:
    good, form = call.good, call.form
    begun = form.head if call.streaming else good[: len(good) // 2]
    await call.send(200, begun, length=len(good))


async def _cut_midway(call: Call) -> None:
    begun = call.form.head + call.form.pieces[0]
    await call.send(200, begun, length=len(call.good))


async def _say_nothing(call: Call) -> None:
    await call.send(200, b"")


async def _garble(call: Call) -> None:
    await call.send(200, call.good.replace(b"}", b"", 1))


FAULTS = (
    Fault("429", "the rate limit is reached", _limit),
    Fault("500", "an internal error", _break),
    Fault("hang", "accepted, then silence", _hang),
    Fault("cut stream", "closed before the first word of the answer was whole", _cut),
    Fault("empty 200", "success, and nothing in it", _say_nothing),
    Fault("bad JSON", "success, and the JSON is broken", _garble),
    Fault("refused", "nobody listens", None),
    Fault("cut midway", "closed after part of the answer was heard", _cut_midway, midway=True),
)
"""The faults of the drill, in the report's order."""
