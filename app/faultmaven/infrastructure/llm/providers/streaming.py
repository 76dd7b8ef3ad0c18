"""One streamed answer, from the bytes of its body to the whole of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.transport import WireStream
from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.thinking import ThinkingSplitter
from faultmaven.infrastructure.llm.wire.types import (
    Codec,
    Completion,
    CompletionRequest,
    EventReader,
    WireEvent,
)
from faultmaven.models.stream import Delta, ToolCallPiece

_GRACE = 1.0  # seconds for what may follow the finish: the usage, and the end of the body
_WHOLE_BODIES = ("application/json", "text/html", "application/problem+json")

Scrub = Callable[[bytes], bytes]
"""Takes the key out of what a server says."""


class Ear(Protocol):
    """Hears one answer while it is read."""

    def opened(self) -> None:
        """The head of the answer is there."""
        ...

    async def hear(self, delta: Delta) -> None:
        """The next piece; may wait."""
        ...


@dataclass(slots=True)
class _Hearing:
    """What is read so far, and who hears it.

    Attributes:
        ear: who.
        with_tools: whether the model was offered tools, so that calls of them are an answer.
    """

    ear: Ear
    with_tools: bool
    assembly: Assembly = field(default_factory=Assembly)
    _splitter: ThinkingSplitter = field(default_factory=ThinkingSplitter)

    async def take(self, delta: Delta) -> None:
        """Keep one piece and pass it on; thoughts written into the text are told apart."""
        if delta.text:
            text, thoughts = self._splitter.feed(delta.text)
            if thoughts or text != delta.text:
                delta = replace(delta, text=text, reasoning=delta.reasoning + thoughts)
        self.assembly.add(delta)
        if delta.tool_calls and not self.with_tools:
            delta = replace(delta, tool_calls=())
        await self.ear.hear(delta)

    async def end(self) -> Completion:
        """Pass on what was held back, and give the whole.

        Raises:
            ProviderError: it is none: cut, empty, or withheld.
        """
        text, thoughts = self._splitter.close()
        if text or thoughts:
            rest = Delta(text=text, reasoning=thoughts)
            self.assembly.add(rest)
            await self.ear.hear(rest)
        return self.assembly.completion()


async def read_answer(
    codec: Codec,
    answer: WireStream,
    ear: Ear,
    *,
    request: CompletionRequest,
    scrub: Scrub,
) -> Completion:
    """Read a 200 to its end, telling ``ear`` of each piece.

    A server that answers in one piece in spite of what it was asked is read as such.

    Raises:
        ProviderError: it is no answer, or none to its end.
    """
    ear.opened()
    if answer.headers.get("content-type", "").startswith(_WHOLE_BODIES):
        response = await answer.read()
        completion = codec.decode(replace(response, body=scrub(response.body)))
        await ear.hear(whole(completion))
        return completion
    hearing = _Hearing(ear, with_tools=bool(request.controls.tools))
    try:
        await _read(codec, answer, hearing, scrub)
    except ProviderConnectionError:
        if not hearing.assembly.finished:
            raise
        # All of it was said: only the books behind it are missing.
    return await hearing.end()


def whole(completion: Completion) -> Delta:
    """An answer that came in one piece, as its only piece."""
    calls = (
        ToolCallPiece(number, call.id, call.name, call.arguments, call.signature)
        for number, call in enumerate(completion.tool_calls)
    )
    return Delta(
        text=completion.text,
        reasoning=completion.reasoning,
        thought=completion.thoughts[-1] if completion.thoughts else None,
        tool_calls=tuple(calls),
        logprobs=completion.logprobs,
    )


async def _read(codec: Codec, answer: WireStream, hearing: _Hearing, scrub: Scrub) -> None:
    framing, reader = codec.framing(), codec.reader()
    async with aclosing(answer.chunks) as chunks:
        async for chunk in chunks:
            for delta in _deltas(framing.feed(chunk), reader, scrub):
                await hearing.take(delta)
            if reader.ended or hearing.assembly.finished:
                break
        else:
            for delta in _deltas(framing.close(), reader, scrub):
                await hearing.take(delta)
            return
        # Finished: what follows is worth a moment, and a body read to its end keeps its connection.
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                async for chunk in chunks:
                    for delta in _deltas(framing.feed(chunk), reader, scrub):
                        await hearing.take(delta)


def _deltas(events: Sequence[WireEvent], reader: EventReader, scrub: Scrub) -> Iterator[Delta]:
    for event in events:
        yield from reader.read(WireEvent(scrub(event.data), event.name))
