"""What is read of Gemini's answers; a piece of a stream has the shape of a whole one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from pydantic import Field

from faultmaven.errors import ContentFilteredError
from faultmaven.infrastructure.llm.wire.body import Count, Number, Shape, Word
from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.finish import TOOL_CALLS
from faultmaven.infrastructure.llm.wire.function_tools import given_call_id
from faultmaven.infrastructure.llm.wire.given_arguments import NO_ARGUMENTS, GivenArguments
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import ToolCall

_OK = 200
_ENDED_OF_ITSELF = "STOP"
_NO_REASON = "FINISH_REASON_UNSPECIFIED"


class FunctionCall(Shape):
    """A tool that the model wants used; older models give their calls no ids."""

    id: Word = ""
    name: Word = ""
    args: GivenArguments = NO_ARGUMENTS


class Part(Shape):
    """A piece of text, of thoughts, or a call."""

    text: Word = ""
    thought: bool = False
    call: FunctionCall | None = Field(default=None, alias="functionCall")
    signature: Word = Field(default="", alias="thoughtSignature")


class _Content(Shape):
    parts: tuple[Part, ...] = ()


class _Token(Shape):
    token: Word = ""
    logprob: Number = Field(default=None, alias="logProbability")

    @property
    def entry(self) -> dict[str, Any]:
        """As OpenAI writes it."""
        spelled = list(self.token.encode("utf-8", "replace"))
        return {"token": self.token, "logprob": self.logprob, "bytes": spelled}


class _Alternatives(Shape):
    candidates: LenientObjects[_Token] = ()


class _Logprobs(Shape):
    chosen: LenientObjects[_Token] = Field(default=(), alias="chosenCandidates")
    top: LenientObjects[_Alternatives] = Field(default=(), alias="topCandidates")

    @property
    def entries(self) -> Iterator[Mapping[str, Any]]:
        """The tokens in OpenAI's shape."""
        none = _Alternatives()
        for token, others in zip_longest(self.chosen, self.top[: len(self.chosen)]):
            tops = [item.entry for item in (others or none).candidates if item.logprob is not None]
            if token.logprob is not None:
                yield token.entry | {"top_logprobs": tops}


class Candidate(Shape):
    """One answer, or the next piece of it."""

    content: LenientObject[_Content] = _Content()
    finish_reason: Word = Field(default="", alias="finishReason")
    average_logprob: Number = Field(default=None, alias="avgLogprobs")
    token_logprobs: LenientObject[_Logprobs] = Field(default=_Logprobs(), alias="logprobsResult")

    @property
    def logprobs(self) -> tuple[Mapping[str, Any], ...]:
        """Token probabilities in OpenAI's shape, where there are any."""
        return tuple(self.token_logprobs.entries)

    def text(self, *, thought: bool) -> str:
        """The answer's parts joined, or the thoughts'."""
        return "".join(part.text for part in self.content.parts if part.thought is thought)

    def finish_word(self, *, called: bool) -> str:
        """The reason; where tools were ``called``, Gemini's is an ordinary ``STOP``."""
        if self.finish_reason == _NO_REASON:
            return ""
        ordinary = self.finish_reason in ("", _ENDED_OF_ITSELF)
        return TOOL_CALLS if called and ordinary else self.finish_reason


class _Feedback(Shape):
    block_reason: Word = Field(default="", alias="blockReason")


class _Usage(Shape):
    prompt: Count = Field(default=0, alias="promptTokenCount")
    answer: Count = Field(default=0, alias="candidatesTokenCount")
    thoughts: Count = Field(default=0, alias="thoughtsTokenCount")
    cached: Count = Field(default=0, alias="cachedContentTokenCount")

    @property
    def tokens(self) -> Usage:
        """The counts; thoughts were written too."""
        return Usage(
            prompt=self.prompt,
            completion=self.answer + self.thoughts,
            cached=self.cached,
            reasoning=self.thoughts,
        )


class ContentResponse(Shape):
    """A whole answer, a piece of one, or what stands in its place."""

    error: ErrorField = None
    candidates: tuple[Candidate, ...] = ()
    feedback: LenientObject[_Feedback] = Field(default=_Feedback(), alias="promptFeedback")
    usage: LenientObject[_Usage] = Field(default=_Usage(), alias="usageMetadata")
    model: Word = Field(default="", alias="modelVersion")
    id: Word = Field(default="", alias="responseId")

    @property
    def completion(self) -> Completion:
        """The first candidate."""
        candidate = self.candidates[0]
        calls = called(candidate.content.parts, answer=self.id)
        return Completion(
            text=candidate.text(thought=False),
            finish_reason=candidate.finish_word(called=bool(calls)),
            usage=self.usage.tokens,
            model=self.model,
            reasoning=candidate.text(thought=True),
            mean_logprob=candidate.average_logprob,
            tool_calls=calls,
            logprobs=candidate.logprobs,
        )

    @property
    def blocked(self) -> ContentFilteredError | None:
        """What it means that the prompt was blocked, if it was."""
        reason = self.feedback.block_reason
        if not reason:
            return None
        message = f"the prompt was blocked: {excerpt(reason, most=40)}"
        return ContentFilteredError(message, status_code=_OK)


def called(parts: Sequence[Part], *, answer: str, before: int = 0) -> tuple[ToolCall, ...]:
    """The calls among ``parts``; ``before`` others have come in the same answer."""
    calls = [(part.call, part.signature) for part in parts if part.call and part.call.name]
    return tuple(
        ToolCall(given_call_id(call.id, answer=answer, place=place), call.name, call.args, proof)
        for place, (call, proof) in enumerate(calls, start=before)
    )


class _Model(Shape):
    name: str


class Models(Shape):
    """A page of the list of models."""

    models: tuple[_Model, ...]
