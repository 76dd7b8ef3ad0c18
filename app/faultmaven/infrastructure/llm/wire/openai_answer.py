"""What is read of a chat completion, whole or piece by piece, and of a list of models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from faultmaven.infrastructure.llm.wire.answer import mean_logprob
from faultmaven.infrastructure.llm.wire.body import Count, Number, Price, Shape, Word
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.function_tools import compact, given_call_id
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import ToolCall

REFUSAL = "refusal"
"""Word for the finish of a message that holds nothing but the model's refusal."""


class Part(Shape):
    """One piece of a message's content."""

    text: Word = ""


class Function(Shape):
    """Which tool, with what; some servers write the arguments as an object."""

    name: Word = ""
    arguments: str | dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """The arguments as JSON text, or a piece of it."""
        return compact(self.arguments) if isinstance(self.arguments, dict) else self.arguments or ""


class _Google(Shape):
    thought_signature: Word = ""


class _Extra(Shape):
    google: LenientObject[_Google] = _Google()


class Call(Shape):
    """A tool that the model wants used; in a stream a piece of that."""

    index: Word = ""
    id: Word = ""
    function: LenientObject[Function] = Function()
    extra: LenientObject[_Extra] = Field(default=_Extra(), alias="extra_content")

    @property
    def signature(self) -> str:
        """Google's proof of the thoughts behind the call; or empty.

        https://ai.google.dev/gemini-api/docs/thought-signatures
        """
        return self.extra.google.thought_signature


class Said(Shape):
    """What the assistant said, or a piece of it; ``function_call`` is an older word for a tool."""

    content: str | tuple[Part, ...] | None = None
    refusal: Word = ""
    reasoning_content: Word = ""
    reasoning: Word = ""
    tool_calls: LenientObjects[Call] = ()
    function_call: LenientObject[Function] = Function()

    @property
    def text(self) -> str:
        """The content, its parts joined."""
        if isinstance(self.content, tuple):
            return "".join(part.text for part in self.content)
        return self.content or ""

    @property
    def thoughts(self) -> str:
        """What the model thought aloud."""
        return self.reasoning_content or self.reasoning

    @property
    def calls(self) -> tuple[Call, ...]:
        """Tools that are asked for, in whichever words."""
        if self.tool_calls or not self.function_call.model_fields_set:
            return self.tool_calls
        return (Call.model_construct(function=self.function_call),)


def _byte_values(value: object) -> object:
    known = isinstance(value, list) and all(type(item) is int for item in value)
    return value if known else None


class _Token(Shape):
    token: Word = ""
    logprob: Number = None
    bytes: Annotated[tuple[int, ...] | None, BeforeValidator(_byte_values)] = None


class _TokenLogprob(_Token):
    top_logprobs: LenientObjects[_Token] = ()


class Logprobs(Shape):
    """How probable the answer's tokens were."""

    content: LenientObjects[_TokenLogprob] = ()

    @property
    def entries(self) -> tuple[dict[str, Any], ...]:
        """One for each token whose probability is told, in OpenAI's shape."""
        told = (item for item in self.content if item.logprob is not None)
        return tuple(item.model_dump(mode="json") for item in told)


class Choice(Shape):
    """One answer."""

    message: Said
    finish_reason: Word = ""
    error: ErrorField = None
    logprobs: LenientObject[Logprobs] = Logprobs()

    @property
    def finish_word(self) -> str:
        """The reason, where an empty message says more than its ``stop``."""
        refused = self.message.refusal and not self.message.text
        return REFUSAL if refused else self.finish_reason


class _PromptDetails(Shape):
    cached: Count = Field(default=0, alias="cached_tokens")


class _CompletionDetails(Shape):
    reasoning: Count = Field(default=0, alias="reasoning_tokens")


class ChatUsage(Shape):
    """Tokens spent, and their price where OpenRouter states it."""

    prompt: Count = Field(default=0, alias="prompt_tokens")
    completion: Count = Field(default=0, alias="completion_tokens")
    total: Count = Field(default=0, alias="total_tokens")
    read: LenientObject[_PromptDetails] = Field(
        default=_PromptDetails(), alias="prompt_tokens_details"
    )
    written: LenientObject[_CompletionDetails] = Field(
        default=_CompletionDetails(), alias="completion_tokens_details"
    )
    cost: Price = None

    @property
    def tokens(self) -> Usage:
        """The counts; a missing one is worked out from the total."""
        completion = self.completion or max(0, self.total - self.prompt)
        return Usage(
            prompt=self.prompt or max(0, self.total - completion),
            completion=completion,
            cached=self.read.cached,
            reasoning=self.written.reasoning,
        )


class ChatCompletion(Shape):
    """A whole answer, or the error that stands in its place."""

    id: Word = ""
    error: ErrorField = None
    choices: tuple[Choice, ...] = ()
    model: Word = ""
    usage: LenientObject[ChatUsage] = ChatUsage()

    @property
    def completion(self) -> Completion:
        """The first choice, its finish reason still in the vendor's word."""
        choice = self.choices[0]
        logprobs = choice.logprobs.entries
        return Completion(
            text=choice.message.text,
            finish_reason=choice.finish_word,
            usage=self.usage.tokens,
            model=self.model,
            reasoning=choice.message.thoughts,
            mean_logprob=mean_logprob(logprobs),
            cost_usd=self.usage.cost,
            tool_calls=tuple(
                ToolCall(
                    given_call_id(call.id, answer=self.id, place=place),
                    call.function.name,
                    call.function.text,
                    call.signature,
                )
                for place, call in enumerate(choice.message.calls)
            ),
            logprobs=logprobs,
        )


class ModelEntry(Shape):
    """One model of a list."""

    id: str
    owned_by: Word = ""

    @property
    def alone(self) -> bool:
        """Whether its server has no other and does not mind its name: llama.cpp, and TGI."""
        return self.owned_by in ("llamacpp", self.id)


class ModelList(Shape):
    """A list of models; OpenRouter's check of the key has an object in its place."""

    data: tuple[ModelEntry, ...] | dict[str, object]

    @model_validator(mode="before")
    @classmethod
    def _with_envelope(cls, value: object) -> object:
        """Together lists its models without an envelope."""
        return {"data": value} if isinstance(value, list) else value
