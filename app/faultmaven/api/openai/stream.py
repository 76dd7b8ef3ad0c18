"""An answer on its way to an OpenAI client, while it is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from faultmaven.api.answer_headers import headers_of_beginning, note_beginning
from faultmaven.api.errors import noted_failure
from faultmaven.api.event_stream import EventStream
from faultmaven.api.openai.answer import Envelope, finish_reason
from faultmaven.api.openai.chunks import DONE, Chunks, error_event
from faultmaven.api.openai.errors import error_body
from faultmaven.errors import FaultMavenError
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.stream import Beginning, Delta, IAnswerListener, ToolCallPiece

Ask = Callable[[IAnswerListener], Awaitable[LLMResponse]]
"""Asks for the answer, which the listener hears."""


class ChatStream:
    """Writes what it hears of one answer; the head leaves when the answer begins.

    Args:
        stream: where to.
        envelope: what all chunks have in common.
        with_usage: whether the caller asked for the usage.
    """

    def __init__(self, stream: EventStream, envelope: Envelope, *, with_usage: bool) -> None:
        self._stream = stream
        self._envelope = envelope
        self._with_usage = with_usage
        self._chunks: Chunks | None = None
        self._spoken = False

    async def on_attempt(self, attempt: Attempt) -> None:
        """Nothing: the protocol has no word for it."""

    async def on_begin(self, beginning: Beginning) -> None:
        """Send the head; who speaks is told with the first piece."""
        note_beginning(beginning)
        await self._begin(beginning)

    async def on_delta(self, delta: Delta) -> None:
        """Send a piece."""
        if self._chunks is None:
            raise LookupError("a piece came before the beginning")
        if delta.tool_calls or delta.reasoning or delta.logprobs or delta.thought:
            written = self._chunks.piece(delta)
        else:  # most are text alone
            written = self._chunks.text(delta.text)
        if not self._spoken:
            self._spoken = True
            written = self._chunks.first(silent=bool(delta.tool_calls)) + written
        await self._stream.write(written)

    async def finish(self, answer: LLMResponse) -> None:
        """Send the end of a whole answer, and before it what nobody let us hear."""
        chunks = self._chunks or await self._tell_whole(answer)
        reason = finish_reason(answer, old_words=self._envelope.old_words)
        usage = chunks.usage(answer.usage) if self._with_usage else b""
        await self._stream.write(chunks.last(reason) + usage + DONE)

    async def _begin(self, beginning: Beginning) -> Chunks:
        chunks = Chunks(self._envelope, beginning.model, with_usage=self._with_usage)
        self._chunks = chunks
        await self._stream.open(headers_of_beginning(beginning))
        return chunks

    async def _tell_whole(self, answer: LLMResponse) -> Chunks:
        beginning = Beginning(answer.provider, answer.model, answer.attempts[:-1], answer.ignored)
        chunks = await self._begin(beginning)
        calls = tuple(
            ToolCallPiece(number, call.id, call.name, call.arguments, call.signature)
            for number, call in enumerate(answer.tool_calls)
        )
        await self.on_delta(
            Delta(answer.content, answer.reasoning, tool_calls=calls, logprobs=answer.logprobs)
        )
        return chunks


async def stream_answer(
    stream: EventStream, ask: Ask, envelope: Envelope, *, with_usage: bool
) -> None:
    """Write one answer as events, or its failure once the head has left.

    Raises:
        FaultMavenError: it failed before anything was sent, so that it can be a status.
    """
    chat = ChatStream(stream, envelope, with_usage=with_usage)
    try:
        await chat.finish(await ask(chat))
    except FaultMavenError as error:
        if not stream.opened:
            raise
        # No finish and no mark of success: what came before is not the whole answer.
        await stream.write(error_event(error_body(noted_failure(error))))
