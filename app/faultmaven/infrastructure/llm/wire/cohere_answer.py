"""What Cohere's ``/v2/chat`` answers in one piece, and the parts that its events share with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator, Field

from faultmaven.infrastructure.llm.wire.answer import mean_logprob
from faultmaven.infrastructure.llm.wire.body import Count, Number, Shape, Word
from faultmaven.infrastructure.llm.wire.function_tools import given_call_id
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import ToolCall


class Function(Shape):
    """Which tool, and the text of its arguments or the next part of it."""

    name: Word = ""
    arguments: Word = ""


class Call(Shape):
    """A call of a tool."""

    id: Word = ""
    function: LenientObject[Function] = Function()


class Part(Shape):
    """A piece of the content: text, or thoughts."""

    text: Word = ""
    thinking: Word = ""


class _Message(Shape):
    content: LenientObjects[Part] = ()
    tool_calls: LenientObjects[Call] = ()
    tool_plan: Word = ""


class _Units(Shape):
    read: Count = Field(default=0, alias="input_tokens")
    written: Count = Field(default=0, alias="output_tokens")


class Spent(Shape):
    """Tokens spent: as they are billed, and as they were."""

    billed: LenientObject[_Units] = Field(default=_Units(), alias="billed_units")
    tokens: LenientObject[_Units] = _Units()
    cached: Count = Field(default=0, alias="cached_tokens")

    @property
    def usage(self) -> Usage:
        """Billed tokens where they are given, as the price follows them."""
        units = self.billed if self.billed.written else self.tokens
        return Usage(
            prompt=units.read, completion=units.written, cached=min(self.cached, units.read)
        )


def _numbers(value: object) -> object:
    return value if isinstance(value, list) else []


class TokenLogprobs(Shape):
    """How probable a piece of text was, token by token."""

    text: Word = ""
    each: Annotated[tuple[Number, ...], BeforeValidator(_numbers)] = Field(
        default=(), alias="logprobs"
    )


def in_openai_shape(pieces: Iterable[TokenLogprobs]) -> tuple[dict[str, object], ...]:
    """The pieces as OpenAI lists tokens; a piece of several is as probable as all of them."""
    return tuple(
        {
            "token": piece.text,
            "logprob": sum(value for value in piece.each if value is not None),
            "bytes": None,
            "top_logprobs": [],
        }
        for piece in pieces
        if piece.each
    )


class Answer(Shape):
    """A whole answer."""

    id: Word = ""
    message: _Message
    finish_reason: Word = ""
    spent: LenientObject[Spent] = Field(default=Spent(), alias="usage")
    pieces: LenientObjects[TokenLogprobs] = Field(default=(), alias="logprobs")

    @property
    def completion(self) -> Completion:
        """The texts joined; what is said beside calls of tools is a plan, so a thought."""
        parts, logprobs = self.message.content, in_openai_shape(self.pieces)
        thoughts = (*(part.thinking for part in parts), self.message.tool_plan)
        return Completion(
            text="".join(part.text for part in parts),
            finish_reason=self.finish_reason,
            usage=self.spent.usage,
            reasoning="".join(thoughts),
            mean_logprob=mean_logprob(logprobs),
            tool_calls=tuple(self._calls()),
            logprobs=logprobs,
        )

    def _calls(self) -> list[ToolCall]:
        named = [call for call in self.message.tool_calls if call.function.name]
        return [
            ToolCall(
                id=given_call_id(call.id, answer=self.id, place=place),
                name=call.function.name,
                arguments=call.function.arguments,
            )
            for place, call in enumerate(named)
        ]
