"""Chat completions of the embedded engine, asked for as a stream and read in one piece.

llama.cpp's server notices that its caller has gone only while it writes. Asked for a whole answer
it runs on for minutes and keeps its only slot busy; asked for a stream that also tells how far
the prompt is read, it stops within seconds (measured with xllamacpp 2026.10.11549).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Shape, Word, read
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.openai_answer import ChatUsage
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import LOCAL
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireResponse,
)

_STREAM = {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
_DATA = b"data:"
_DONE = b"[DONE]"


class _Delta(Shape):
    """A piece of the message; without content while the prompt is read."""

    content: Word = ""
    reasoning_content: Word = ""


class _Choice(Shape):
    """A piece of the answer."""

    delta: LenientObject[_Delta] = _Delta()
    finish_reason: Word = ""


class _Chunk(Shape):
    """One event of the stream, or the error that ends it."""

    error: ErrorField = None
    choices: tuple[_Choice, ...] = ()
    model: Word = ""
    usage: LenientObject[ChatUsage] = ChatUsage()


class EmbeddedChat(OpenAIChat):
    """Codec for the server that FaultMaven starts itself."""

    def __init__(self) -> None:
        super().__init__(LOCAL)

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200: the events of a whole stream.

        Raises:
            ProviderConnectionError: the stream ended without its finish, so it was cut.
        """
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            return super().decode(response)
        chunks = tuple(_chunks(response))
        choices = [choice for chunk in chunks for choice in chunk.choices]
        finish = "".join(choice.finish_reason for choice in choices)
        if not finish:
            raise ProviderConnectionError("the answer was cut", status_code=response.status)
        return finished(_completion(chunks, choices, finish))

    def _payload(self, request: CompletionRequest, endpoint: Endpoint) -> dict[str, Any]:
        return super()._payload(request, endpoint) | _STREAM


def _chunks(response: WireResponse) -> Iterator[_Chunk]:
    for line in response.body.splitlines():
        data = line.removeprefix(_DATA).strip()
        if not line.startswith(_DATA) or data == _DONE:
            continue
        event = replace(response, body=data)
        chunk = read(event, _Chunk)
        if chunk.error is not None:
            raise read_error(event)
        yield chunk


def _completion(chunks: Sequence[_Chunk], choices: Sequence[_Choice], finish: str) -> Completion:
    return Completion(
        text="".join(choice.delta.content for choice in choices),
        finish_reason=finish,
        usage=next(
            (chunk.usage.tokens for chunk in chunks if chunk.usage.total), ChatUsage().tokens
        ),
        model=next((chunk.model for chunk in chunks if chunk.model), ""),
        reasoning="".join(choice.delta.reasoning_content for choice in choices),
    )
