"""What is read of a chat completion and of a list of models."""

from __future__ import annotations

from pydantic import Field, model_validator

from faultmaven.infrastructure.llm.wire.body import Count, Number, Price, Shape, Word
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage


class Part(Shape):
    """One piece of a message's content."""

    text: str = ""


class ToolCall(Shape):
    """That a tool was asked for; which one does not matter here."""


class Message(Shape):
    """What the assistant said."""

    content: str | tuple[Part, ...] | None = None
    refusal: Word = ""
    reasoning_content: Word = ""
    reasoning: Word = ""
    tool_calls: LenientObjects[ToolCall] = ()

    @property
    def text(self) -> str:
        """The content, its parts joined."""
        if isinstance(self.content, tuple):
            return "".join(part.text for part in self.content)
        return self.content or ""


class TokenLogprob(Shape):
    """How probable one token was."""

    logprob: Number = None


class Logprobs(Shape):
    """How probable the answer's tokens were."""

    content: LenientObjects[TokenLogprob] = ()

    @property
    def mean(self) -> float | None:
        """The mean natural logarithm, or ``None`` where none was given."""
        known = [item.logprob for item in self.content if item.logprob is not None]
        return sum(known) / len(known) if known else None


class Choice(Shape):
    """One answer."""

    message: Message
    finish_reason: Word = ""
    error: ErrorField = None
    logprobs: LenientObject[Logprobs] = Logprobs()


class ChatUsage(Shape):
    """Tokens spent, and their price where OpenRouter states it."""

    prompt: Count = Field(default=0, alias="prompt_tokens")
    completion: Count = Field(default=0, alias="completion_tokens")
    total: Count = Field(default=0, alias="total_tokens")
    cost: Price = None

    @property
    def tokens(self) -> Usage:
        """The counts; a missing one is worked out from the total."""
        completion = self.completion or max(0, self.total - self.prompt)
        return Usage(prompt=self.prompt or max(0, self.total - completion), completion=completion)


class ChatCompletion(Shape):
    """A whole answer, or the error that stands in its place."""

    error: ErrorField = None
    choices: tuple[Choice, ...] = ()
    model: Word = ""
    usage: LenientObject[ChatUsage] = ChatUsage()

    @property
    def completion(self) -> Completion:
        """The first choice, its finish reason still in the vendor's word."""
        choice = self.choices[0]
        message = choice.message
        return Completion(
            text=message.text,
            finish_reason=_finish_word(choice),
            usage=self.usage.tokens,
            model=self.model,
            reasoning=message.reasoning_content or message.reasoning,
            mean_logprob=choice.logprobs.mean,
            cost_usd=self.usage.cost,
        )


def _finish_word(choice: Choice) -> str:
    """The reason, where an empty message says more than its ``stop``."""
    if choice.message.refusal and not choice.message.text:
        return "refusal"
    if choice.message.tool_calls and not choice.message.text:
        return "tool_calls"
    return choice.finish_reason


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
