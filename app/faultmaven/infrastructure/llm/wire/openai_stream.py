"""A chat completion that comes in pieces, as all who copied it write them.

https://platform.openai.com/docs/api-reference/chat/streaming, and beside it: OpenRouter's errors
within a stream, LM Studio's events called ``error``, llama.cpp's news of how far the prompt is
read, and calls of tools without an index, with one index for all, or with their id in each piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faultmaven.errors import ProviderOverloadedError
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read
from faultmaven.infrastructure.llm.wire.errors import error_of, read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField, failure_inside
from faultmaven.infrastructure.llm.wire.finish import ERROR
from faultmaven.infrastructure.llm.wire.function_tools import given_call_id
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.openai_answer import (
    REFUSAL,
    Call,
    ChatUsage,
    Logprobs,
    Said,
)
from faultmaven.infrastructure.llm.wire.openai_plain import plain_text
from faultmaven.infrastructure.llm.wire.openai_repeated import RepeatedEvent
from faultmaven.infrastructure.llm.wire.sse import DONE
from faultmaven.infrastructure.llm.wire.types import WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Delta, ToolCallPiece

_OK = 200
_NOTHING = Delta()


class _Choice(Shape):
    """A piece of one answer."""

    index: Count = 0
    delta: LenientObject[Said] = Said()
    finish_reason: Word = ""
    error: ErrorField = None
    logprobs: LenientObject[Logprobs] = Logprobs()


_NO_CHOICE = _Choice()


class _Chunk(Shape):
    """One event of the stream, or the error that ends it."""

    id: Word = ""
    object: Word = ""
    error: ErrorField = None
    choices: tuple[_Choice, ...] | None = ()
    model: Word = ""
    usage: LenientObject[ChatUsage] = ChatUsage()

    @property
    def choice(self) -> _Choice:
        """The piece of the first answer; an empty one where the event is about something else."""
        return next((choice for choice in self.choices or () if choice.index == 0), _NO_CHOICE)

    @property
    def tokens(self) -> Usage | None:
        """Tokens spent so far, where the event tells."""
        told = bool(self.usage.model_fields_set)  # spares nearly every event the counting
        return self.usage.tokens if told else None


class ChatReader:
    """Reads the events of one stream.

    Attributes:
        ended: whether ``[DONE]`` came.
    """

    def __init__(self) -> None:
        self.ended = False
        self._spoke = False
        self._refused = False
        self._model = ""
        self._calls = _Calls()
        self._repeated = RepeatedEvent()

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The piece of the answer in ``event``, if there is one.

        Raises:
            ProviderError: the event is an error, or none of the format's.
        """
        if event.name != ERROR:
            text = self._repeated.text(event.data)
            if text and self._repeated.model == self._model:
                return (Delta(text),)
            plain = plain_text(event.data)
            if plain is not None:
                return (self._plain(event.data, *plain),)
        if event.data == DONE:
            self.ended = True
            return ()
        chunk = _read(event)
        delta = self._delta(chunk, chunk.choice)
        return () if delta == _NOTHING else (delta,)

    def _plain(self, data: bytes, text: str, model: str) -> Delta:
        self._spoke = True
        self._repeated.learn(data, model)
        return Delta(text, model=self._news(model))

    def _delta(self, chunk: _Chunk, choice: _Choice) -> Delta:
        said = choice.delta
        text = said.text
        self._spoke = self._spoke or bool(text)
        self._refused = self._refused or bool(said.refusal)
        return Delta(
            text=text,
            reasoning=said.thoughts,
            tool_calls=self._calls.pieces(said.calls, answer=chunk.id),
            logprobs=choice.logprobs.entries if choice.logprobs.content else (),
            finish_reason=self._finish_word(choice),
            usage=chunk.tokens,
            model=self._news(chunk.model),
            cost_usd=chunk.usage.cost,
        )

    def _news(self, model: str) -> str:
        """The model's name where it was not told before: it stands in each chunk."""
        if model == self._model:
            return ""
        self._model = model
        return model

    def _finish_word(self, choice: _Choice) -> str:
        """The reason, where an empty answer says more than its ``stop``."""
        refused = self._refused and not self._spoke
        return REFUSAL if refused and choice.finish_reason else choice.finish_reason


def _read(event: WireEvent) -> _Chunk:
    response = WireResponse(_OK, {}, event.data)
    if event.name == ERROR:
        raise read_error(response)
    chunk = read(response, _Chunk)
    if chunk.error is not None or chunk.object == ERROR:
        raise read_error(response)
    choice = chunk.choice
    if choice.error is not None:
        raise error_of(failure_inside(choice.error, response))
    if choice.finish_reason == ERROR:
        raise ProviderOverloadedError("the answer broke off with an error", status_code=_OK)
    return chunk


@dataclass(slots=True)
class _Open:
    """A call that further pieces may come for.

    Attributes:
        number: which call of the answer it is, from 0.
        id: by which its pieces may be known; empty where the vendor gave none.
        named: whether its tool has been told.
    """

    number: int
    id: str
    named: bool = False


class _Calls:
    """Tells which call of the answer a piece belongs to."""

    def __init__(self) -> None:
        self._count = 0
        self._by_index: dict[str, _Open] = {}
        self._by_id: dict[str, _Open] = {}

    def pieces(self, calls: Sequence[Call], *, answer: str) -> tuple[ToolCallPiece, ...]:
        """The pieces, each with the number of its call; id and name with the first alone."""
        return tuple([self._piece(call, answer) for call in calls]) if calls else ()

    def _piece(self, call: Call, answer: str) -> ToolCallPiece:
        known = self._known(call)
        place = known or self._open(call)
        name = "" if place.named else call.function.name
        place.named = place.named or bool(name)
        return ToolCallPiece(
            index=place.number,
            id="" if known else given_call_id(call.id, answer=answer, place=place.number),
            name=name,
            arguments=call.function.text,
            signature=call.signature,
        )

    def _known(self, call: Call) -> _Open | None:
        """The call that this is a further piece of, or ``None`` where it begins another."""
        place = self._by_id.get(call.id) or self._by_index.get(call.index)
        return None if place is None or self._begins_another(call, place) else place

    def _begins_another(self, call: Call, place: _Open) -> bool:
        """Whether a piece that names a tool does not repeat the name of ``place``.

        Without its own name it never does, whatever its id: vLLM once made one up for each piece.
        """
        if not (call.function.name and place.named):
            return False
        return call.id != place.id if call.id else not call.index

    def _open(self, call: Call) -> _Open:
        opened = _Open(self._count, call.id)
        self._count += 1
        self._by_index[call.index] = self._by_index[""] = opened
        if call.id:
            self._by_id[call.id] = opened
        return opened
