"""Ways to tell a stream badly, or well in an unusual way."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from upstreams.dialects.answer import Finish
from upstreams.dialects.base import Completing
from upstreams.dialects.stream import (
    Event,
    Framing,
    JsonLines,
    Sse,
    Stage,
    before_content,
)
from upstreams.exchange import Behaviour, Exchange, answer_well
from upstreams.faults.answers import saying, saying_only
from upstreams.faults.network import let_it_leave
from upstreams.messages import LAST_CHUNK, chunk

Part = Callable[[Iterable[Event]], Sequence[Event]]
"""Which events of a good stream are told before something happens."""

_GARBAGE = "{not JSON"
_PAUSE = 0.02
"""Seconds between two signs of life."""


def streamed(play: Behaviour, *, plain: Behaviour = answer_well) -> Behaviour:
    """Befall streams alone; `plain` is what befalls a request for a whole answer."""

    async def choose(exchange: Exchange) -> None:
        if exchange.streaming:
            await play(exchange)
        elif isinstance(exchange.endpoint, Completing):
            await plain(exchange)
        else:
            await answer_well(exchange)

    return choose


def told(part: Part, then: Behaviour) -> Behaviour:
    """Tell a part of the good stream; then something happens."""

    async def play(exchange: Exchange) -> None:
        await exchange.open_stream()
        await exchange.tell(part(exchange.events()))
        await then(exchange)

    return play


async def closed(exchange: Exchange) -> None:
    """Close the connection without the last chunk."""
    exchange.close()


async def ended(exchange: Exchange) -> None:
    """End the body in good order."""
    await exchange.end_stream()


async def reset(exchange: Exchange) -> None:
    """Reset the connection once the client has had time to read."""
    await let_it_leave()
    exchange.reset()


async def silent(exchange: Exchange) -> None:
    """Say nothing more."""
    await exchange.silence()


async def pinged(exchange: Exchange) -> None:
    """Give signs of life for ever, or none where the vendor has none."""
    if exchange.completing.ping is None:
        await exchange.silence()
    while exchange.completing.ping:
        await exchange.tell([exchange.completing.ping])
        await asyncio.sleep(_PAUSE)


async def failed(exchange: Exchange) -> None:
    """Tell an error in the vendor's shape and end the body."""
    wording = exchange.endpoint.wordings[exchange.completing.trouble]
    await exchange.tell([exchange.completing.error_event(wording)])
    await exchange.end_stream()


async def garbled(exchange: Exchange) -> None:
    """Tell an event that is not JSON, then the good stream from its start."""
    await exchange.tell([Event(Stage.CONTENT, _GARBAGE), *exchange.events()])
    await exchange.end_stream()


async def nothing(exchange: Exchange) -> None:
    """Open a stream and end it."""
    await exchange.open_stream()
    await exchange.end_stream()


async def at_once(exchange: Exchange) -> None:
    """Answer with one body, as if no stream had been asked for."""
    await exchange.send(exchange.completing.whole(exchange.request, exchange.said()))


async def byte_by_byte(exchange: Exchange) -> None:
    """Tell the good stream, each byte in a chunk of its own."""
    await exchange.open_stream()
    for byte in exchange.answer().body:
        await exchange.write(chunk(bytes([byte])))
        await asyncio.sleep(0)
    await exchange.write(LAST_CHUNK)


async def commented(exchange: Exchange) -> None:
    """Tell the good stream with remarks, and pings where there are any, between its events."""
    ping = exchange.completing.ping
    between = [Event(Stage.START, comment=""), Event(Stage.START, comment="data: {no}")]
    await exchange.open_stream()
    for event in exchange.events():
        await exchange.tell([*between, *([ping] if ping else []), event])
    await exchange.end_stream()


def framed(*, crlf: bool = False, space: bool = True) -> Behaviour:
    """Tell the good stream in other frames."""

    async def play(exchange: Exchange) -> None:
        framing = _reframed(exchange.completing.framing, crlf=crlf, space=space)
        await exchange.open_stream()
        await exchange.tell(exchange.events(), framing=framing)
        await exchange.end_stream()

    return play


def _reframed(usual: Framing, *, crlf: bool, space: bool) -> Framing:
    newline = "\r\n" if crlf else "\n"
    return JsonLines(newline) if isinstance(usual, JsonLines) else Sse(space, newline)


def slow_start(seconds: float) -> Behaviour:
    """Tell the good stream, but only after so many seconds between the start and the content."""

    async def play(exchange: Exchange) -> None:
        events = exchange.events()
        start = before_content(events)
        await exchange.open_stream()
        await exchange.tell(start)
        await asyncio.sleep(seconds)
        await exchange.tell(events[len(start) :], delay=exchange.said().delay)
        await exchange.end_stream()

    return streamed(play)


only_the_end = saying_only("", thinking=None, finish=Finish.STOP)
"""Start and finish at once."""

refused_midway = saying(finish=Finish.FILTER)
"""Tell the text and end with the vendor's word for a text cut by policy."""
