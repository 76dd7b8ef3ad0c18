"""One streamed answer, from the bytes of its body to the whole of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
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
    WireEvent,
)
from faultmaven.models.stream import Delta, ToolCallPiece

_GRACE = 1.0  # seconds for what may follow the finish: the usage, and the end of the body
_WHOLE_BODIES = frozenset({"application/json", "text/html"})

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

    def grace(self, seconds: float) -> float:
        """All was said: how long to wait for what may follow, at most ``seconds``."""
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
    _nameless: dict[int, ToolCallPiece] = field(default_factory=dict)
    _named: set[int] = field(default_factory=set)

    def kept(self, delta: Delta) -> Delta:
        """Keep one piece; what is to be heard of it, thoughts within its text told apart."""
        if delta.text and not self._splitter.answering:
            text, thoughts = self._splitter.feed(delta.text)
            if thoughts or text != delta.text:
                delta = replace(delta, text=text, reasoning=delta.reasoning + thoughts)
        self.assembly.add(delta)
        if delta.tool_calls:
            calls = tuple(self._heard(delta.tool_calls)) if self.with_tools else ()
            delta = replace(delta, tool_calls=calls)
        return delta

    def _heard(self, pieces: Sequence[ToolCallPiece]) -> Iterator[ToolCallPiece]:
        """The pieces of calls whose tool is known: one without a name is no call yet."""
        for piece in pieces:
            if piece.index in self._named:
                yield piece
                continue
            before = self._nameless.pop(piece.index, ToolCallPiece(piece.index))
            joined = ToolCallPiece(
                piece.index,
                piece.id or before.id,
                piece.name,
                before.arguments + piece.arguments,
                piece.signature or before.signature,
            )
            if piece.name:
                self._named.add(piece.index)
                yield joined
            else:
                self._nameless[piece.index] = joined

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
    with_tools = bool(request.controls.tools)
    if _is_whole(answer):
        response = await answer.read()
        completion = codec.decode(replace(response, body=scrub(response.body)))
        for delta in whole(completion):
            await ear.hear(delta if with_tools else replace(delta, tool_calls=()))
        return completion
    hearing = _Hearing(ear, with_tools=with_tools)
    # A task of its own: a piece then wakes that alone, and not everybody up to the server who
    # waits for the whole answer.
    await asyncio.create_task(_Reading(codec, hearing, scrub).read(answer.chunks))
    return await hearing.end()


def whole(completion: Completion) -> tuple[Delta, ...]:
    """An answer that came in one piece: its thoughts, then all of it."""
    calls = (
        ToolCallPiece(number, call.id, call.name, call.arguments, call.signature)
        for number, call in enumerate(completion.tool_calls)
    )
    said = Delta(text=completion.text, tool_calls=tuple(calls), logprobs=completion.logprobs)
    thoughts = (Delta(thought=thought) for thought in completion.thoughts)
    reasoned = (Delta(reasoning=completion.reasoning),) if completion.reasoning else ()
    return (*reasoned, *thoughts, said)


def _is_whole(answer: WireStream) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in _WHOLE_BODIES or (kind.endswith("+json") and kind != "application/stream+json")


class _Reading:
    """One stream, read to its end: where its format says so, or where its body ends.

    A finish reason is not the end yet: the usage may follow, and a body that is read to its end
    keeps its connection. That is worth a moment, and what goes wrong in it costs nothing. Some
    vendors name a finish in each piece: who went on talking once is not taken at that word again.
    """

    def __init__(self, codec: Codec, hearing: _Hearing, scrub: Scrub) -> None:
        self._framing, self._reader = codec.framing(), codec.reader()
        self._hearing, self._ear = hearing, hearing.ear
        self._scrub = scrub
        self._done = False
        self._went_on = False

    async def read(self, chunks: AsyncGenerator[bytes, None]) -> None:
        """Read every event.

        Raises:
            ProviderError: the stream was cut before its finish, or an event is an error.
        """
        async with aclosing(chunks):
            async for chunk in chunks:
                await self._take(self._framing.feed(chunk))
                if self._done and await self._is_over(chunks):
                    break
        await self._take(self._framing.close())

    async def _is_over(self, chunks: AsyncGenerator[bytes, None]) -> bool:
        """Read what follows the finish; whether that was the end, and not more of the answer."""
        while self._done:
            try:
                async with asyncio.timeout(self._ear.grace(_GRACE)):
                    chunk = await anext(chunks)
            except (TimeoutError, ProviderConnectionError, StopAsyncIteration):
                return True
            await self._take(self._framing.feed(chunk))
        return False

    async def _take(self, events: Sequence[WireEvent]) -> None:
        for event in events:
            said = self._scrub(event.data)
            clean = event if said is event.data else replace(event, data=said)
            for delta in self._reader.read(clean):
                if self._done and delta.has_content:
                    self._went_on = True
                await self._ear.hear(self._hearing.kept(delta))
        finished = self._hearing.assembly.finished and not self._went_on
        self._done = self._reader.ended or finished
