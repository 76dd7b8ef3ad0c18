"""The events of Cohere's ``/v2/chat``.

https://docs.cohere.com/docs/streaming
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import Field

from faultmaven.errors import ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read
from faultmaven.infrastructure.llm.wire.cohere_answer import (
    Call,
    Part,
    Spent,
    TokenLogprobs,
    in_openai_shape,
)
from faultmaven.infrastructure.llm.wire.errors import error_of, read_error
from faultmaven.infrastructure.llm.wire.failure import Failure
from faultmaven.infrastructure.llm.wire.finish import STOP
from faultmaven.infrastructure.llm.wire.function_tools import given_call_id
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import WireEvent, WireResponse
from faultmaven.models.stream import Delta, ToolCallPiece

_OK = 200


class _Message(Shape):
    """The next part of the message; where there is one call, it stands without a list."""

    content: LenientObject[Part] = Part()
    call: LenientObject[Call] = Field(default=Call(), alias="tool_calls")
    tool_plan: Word = ""


class _Change(Shape):
    message: LenientObject[_Message] = _Message()
    error: Word = ""
    finish_reason: Word = ""
    spent: LenientObject[Spent] = Field(default=Spent(), alias="usage")


class _Event(Shape):
    type: Word = ""
    id: Word = ""
    index: Count = 0
    delta: LenientObject[_Change] = _Change()
    pieces: LenientObjects[TokenLogprobs] = Field(default=(), alias="logprobs")


class CohereChatReader:
    """Reads one stream's events; those of types we do not know say nothing of the answer."""

    def __init__(self) -> None:
        self._answer = ""
        self._places: dict[int, int] = {}  # of the calls begun, by the vendor's index
        self._ended = False
        self._readers: Mapping[str, Callable[[_Event], Delta]] = {
            "content-start": _content,
            "content-delta": _content,
            "tool-plan-delta": _plan,
            "tool-call-start": self._call_begins,
            "tool-call-delta": self._call_goes_on,
            "message-end": self._end,
        }

    @property
    def ended(self) -> bool:
        """Whether ``message-end`` came."""
        return self._ended

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The piece of the answer in one event; what follows the end says nothing.

        Raises:
            ProviderError: the event is an error, or none of the format's.
        """
        if self._ended:
            return ()
        response = WireResponse(_OK, {}, event.data)
        body = read(response, _Event)
        kind = body.type or event.name
        if kind in ("", "error"):
            raise read_error(response)
        if kind == "message-start":
            self._answer = body.id
        if kind not in self._readers:
            return ()
        delta = self._readers[kind](body)
        return () if delta == Delta() else (delta,)

    def _call_begins(self, event: _Event) -> Delta:
        place = self._places.setdefault(event.index, len(self._places))
        call = event.delta.message.call
        return Delta(
            tool_calls=(
                ToolCallPiece(
                    index=place,
                    id=given_call_id(call.id, answer=self._answer, place=place),
                    name=call.function.name,
                    arguments=call.function.arguments,
                ),
            )
        )

    def _call_goes_on(self, event: _Event) -> Delta:
        if event.index not in self._places:
            message = "arguments of a tool call that never began"
            raise ProviderProtocolError(message, status_code=_OK)
        arguments = event.delta.message.call.function.arguments
        if not arguments:
            return Delta()
        return Delta(tool_calls=(ToolCallPiece(self._places[event.index], arguments=arguments),))

    def _end(self, event: _Event) -> Delta:
        if event.delta.error:
            raise _broken_off(event.delta.error)
        self._ended = True
        return Delta(finish_reason=event.delta.finish_reason or STOP, usage=event.delta.spent.usage)


def _content(event: _Event) -> Delta:
    part = event.delta.message.content
    logprobs = in_openai_shape(event.pieces)
    return Delta(text=part.text, reasoning=part.thinking, logprobs=logprobs)


def _plan(event: _Event) -> Delta:
    return Delta(reasoning=event.delta.message.tool_plan)


def _broken_off(said: str) -> ProviderError:
    """The error for what Cohere says went wrong while it wrote: its own trouble."""
    return error_of(Failure(_OK, message=said, words=("server_error",), readable=True))
