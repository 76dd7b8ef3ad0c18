"""Chat completions of the embedded engine, always asked for as a stream.

llama.cpp's server notices that its caller has gone only while it writes. Asked for a whole answer
it runs on for minutes and keeps its only slot busy; asked for a stream that also tells how far
the prompt is read, it stops within seconds (measured with xllamacpp 2026.10.11549).

Small models get into loops, and the server lets them write until their window is full: for minutes,
to callers who set no limit. They get one.
"""

from __future__ import annotations

from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import LOCAL
from faultmaven.infrastructure.llm.wire.openai_request import Fields
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireResponse,
)

_STREAM = {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
_MOST_TOKENS = 1024  # where the caller does not say; more than a minute's work of a small machine


class EmbeddedChat(OpenAIChat):
    """Codec for the server that FaultMaven starts itself.

    Whoever wants the whole answer gets the whole stream, read in one piece.
    """

    def __init__(self) -> None:
        super().__init__(LOCAL)

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200: the events of a whole stream.

        Raises:
            ProviderConnectionError: the stream ended without its finish, so it was cut.
        """
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            return super().decode(response)
        framing, reader, assembly = self.framing(), self.reader(), Assembly()
        for event in (*framing.feed(response.body), *framing.close()):
            for delta in reader.read(event):
                assembly.add(delta)
        return assembly.completion()

    def _payload(self, request: CompletionRequest, endpoint: Endpoint) -> Fields:
        written = super()._payload(request, endpoint) | _STREAM
        if written.get("max_tokens") is None:
            written["max_tokens"] = _MOST_TOKENS
        return written
