"""What Ollama answers, whole or line by line: both are one shape."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from faultmaven.infrastructure.llm.wire.answer import mean_logprob
from faultmaven.infrastructure.llm.wire.body import Count, Number, Shape, Word, read
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.finish import STOP
from faultmaven.infrastructure.llm.wire.function_tools import compact, given_call_id
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import Completion, WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import ToolCall
from faultmaven.models.stream import Delta, ToolCallPiece

_OK = 200


class _Function(Shape):
    name: Word = ""
    arguments: dict[str, object] | str | None = None

    @property
    def text(self) -> str:
        """The arguments as JSON text; Ollama itself writes an object."""
        return self.arguments if isinstance(self.arguments, str) else compact(self.arguments or {})


class _Call(Shape):
    id: Word = ""
    function: LenientObject[_Function] = _Function()


class _Message(Shape):
    content: Word = ""
    thinking: Word = ""
    tool_calls: LenientObjects[_Call] = ()


class _Alternative(Shape):
    token: Word = ""
    logprob: Number = None


class _Logprob(_Alternative):
    top: LenientObjects[_Alternative] = Field(default=(), alias="top_logprobs")

    @property
    def in_openai_shape(self) -> dict[str, object]:
        """The token as OpenAI lists it."""
        top = [_plain(item) | {"bytes": None} for item in self.top]
        return _plain(self) | {"bytes": None, "top_logprobs": top}


def _plain(item: _Alternative) -> dict[str, object]:
    return {"token": item.token, "logprob": item.logprob}


class Answer(Shape):
    """A whole answer, or one line of a stream, or the error that stands in its place."""

    error: ErrorField = None
    message: LenientObject[_Message] = _Message()
    model: Word = ""
    created_at: Word = ""
    done: bool = False
    done_reason: Word = ""
    read: Count = Field(default=0, alias="prompt_eval_count")
    written: Count = Field(default=0, alias="eval_count")
    tokens: LenientObjects[_Logprob] = Field(default=(), alias="logprobs")

    @property
    def usage(self) -> Usage:
        """Tokens spent; zeros where the prompt was cached."""
        return Usage(prompt=self.read, completion=self.written)

    @property
    def logprobs(self) -> tuple[dict[str, object], ...]:
        """Token probabilities in OpenAI's shape."""
        return tuple(item.in_openai_shape for item in self.tokens if item.logprob is not None)

    def calls(self, *, before: int = 0) -> tuple[ToolCall, ...]:
        """The calls of tools, the ``before`` earlier ones of the answer not among them."""
        named = (call for call in self.message.tool_calls if call.function.name)
        return tuple(
            ToolCall(
                id=given_call_id(call.id, answer=self.created_at, place=place),
                name=call.function.name,
                arguments=call.function.text,
            )
            for place, call in enumerate(named, start=before)
        )


def whole(answer: Answer) -> Completion:
    """A whole answer, its finish reason still in the vendor's word."""
    return Completion(
        text=answer.message.content,
        finish_reason=answer.done_reason,
        usage=answer.usage,
        model=answer.model,
        reasoning=answer.message.thinking,
        mean_logprob=mean_logprob(answer.logprobs),
        tool_calls=answer.calls(),
        logprobs=answer.logprobs,
    )


class OllamaReader:
    """Reads one stream's lines; each call of a tool comes whole in one of them."""

    def __init__(self) -> None:
        self._calls = 0
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the line came that says ``done``."""
        return self._ended

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The piece of the answer in one line; what follows the end says nothing.

        Raises:
            ProviderError: the line is an error, or none of the format's.
        """
        if self._ended:
            return ()
        response = WireResponse(_OK, {}, event.data)
        line = read(response, Answer)
        if line.error is not None:
            raise read_error(response)
        self._ended = line.done
        delta = self._delta(line)
        return () if delta == Delta(model=line.model) else (delta,)

    def _delta(self, line: Answer) -> Delta:
        calls = line.calls(before=self._calls)
        pieces = tuple(
            ToolCallPiece(index=index, id=call.id, name=call.name, arguments=call.arguments)
            for index, call in enumerate(calls, start=self._calls)
        )
        self._calls += len(calls)
        return Delta(
            text=line.message.content,
            reasoning=line.message.thinking,
            tool_calls=pieces,
            logprobs=line.logprobs,
            finish_reason=(line.done_reason or STOP) if line.done else "",  # old servers: none
            usage=line.usage if line.done else None,
            model=line.model,
        )
