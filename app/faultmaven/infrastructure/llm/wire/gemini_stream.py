"""Gemini's streams: each event is an answer that holds the next parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faultmaven.infrastructure.llm.wire.body import read
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.gemini_answer import (
    Candidate,
    ContentResponse,
    Part,
    called,
)
from faultmaven.infrastructure.llm.wire.types import WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Delta, ToolCallPiece

_OK = 200


class GeminiReader:
    """Reads the events of one stream, which has no mark at its end."""

    def __init__(self) -> None:
        self._answer = ""
        self._calls = 0

    @property
    def ended(self) -> bool:
        """Never: the end of the body ends it, and the finish reason tells that it is whole."""
        return False

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The pieces of the answer in ``event``.

        Raises:
            ProviderError: it is an error, says that the prompt was blocked, or is none of the
                format's.
        """
        response = WireResponse(_OK, {}, event.data)
        body = read(response, ContentResponse)
        if body.error is not None:
            raise read_error(response)
        self._answer = self._answer or body.id
        if body.candidates:
            candidate = body.candidates[0]
            pieces = [self._piece(part) for part in candidate.content.parts]
            return [*filter(None, pieces), *self._books(body, candidate)]
        if body.blocked is not None:
            raise body.blocked
        return [*self._books(body, Candidate())]

    def _piece(self, part: Part) -> Delta | None:
        for call in called((part,), answer=self._answer, before=self._calls):
            piece = ToolCallPiece(self._calls, call.id, call.name, call.arguments, call.signature)
            self._calls += 1
            return Delta(tool_calls=(piece,))
        if not part.text:
            return None
        return Delta(reasoning=part.text) if part.thought else Delta(text=part.text)

    def _books(self, body: ContentResponse, candidate: Candidate) -> Iterator[Delta]:
        """What is said of the answer, if anything; each count is of the whole so far."""
        ends = bool(candidate.finish_reason)
        delta = Delta(
            finish_reason=candidate.finish_word(called=self._calls > 0) if ends else "",
            usage=body.usage.tokens if body.usage.tokens != Usage() else None,
            model=body.model,
            logprobs=candidate.logprobs,
        )
        if delta != Delta():
            yield delta
