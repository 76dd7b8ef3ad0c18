"""What is read of Anthropic's answers, whole and piece by piece."""

from __future__ import annotations

from pydantic import Field

from faultmaven.errors import ContentFilteredError, ContextLengthError, ProviderError
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word
from faultmaven.infrastructure.llm.wire.given_arguments import NO_ARGUMENTS, GivenArguments
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Thought, ToolCall

_OK = 200
REFUSAL = "refusal"
"""Why a model stopped that will not answer."""
WINDOW_EXCEEDED = "model_context_window_exceeded"
"""Why a model stopped whose window is full."""


class Block(Shape):
    """One block of content; which fields it has is told by its type."""

    type: Word = ""
    text: Word = ""
    thinking: Word = ""
    signature: Word = ""
    data: Word = ""
    id: Word = ""
    name: Word = ""
    input: GivenArguments = NO_ARGUMENTS

    @property
    def thought(self) -> Thought | None:
        """Thoughts that may be shown to Anthropic again."""
        if self.type == "redacted_thinking" and self.data:
            return Thought(hidden=self.data)
        if self.type == "thinking" and self.signature:
            return Thought(text=self.thinking, signature=self.signature)
        return None


class _Details(Shape):
    thinking: Count = Field(default=0, alias="thinking_tokens")


class AnthropicUsage(Shape):
    """Tokens spent."""

    input: Count = Field(default=0, alias="input_tokens")
    output: Count = Field(default=0, alias="output_tokens")
    cache_written: Count = Field(default=0, alias="cache_creation_input_tokens")
    cache_read: Count = Field(default=0, alias="cache_read_input_tokens")
    details: LenientObject[_Details] = Field(default=_Details(), alias="output_tokens_details")

    @property
    def tokens(self) -> Usage:
        """The counts; what came from the cache or went there was read too."""
        return Usage(
            prompt=self.input + self.cache_written + self.cache_read,
            completion=self.output,
            cached=self.cache_read,
            reasoning=self.details.thinking,
        )


class MessageBody(Shape):
    """A whole answer; the beginning of one, without content, opens a stream."""

    type: Word = ""
    content: tuple[Block, ...] = ()
    model: Word = ""
    stop_reason: Word = ""
    usage: LenientObject[AnthropicUsage] = AnthropicUsage()

    @property
    def completion(self) -> Completion:
        """The text blocks joined; thoughts and calls beside them."""
        return Completion(
            text="".join(block.text for block in self.content if block.type == "text"),
            finish_reason=self.stop_reason,
            usage=self.usage.tokens,
            model=self.model,
            reasoning="\n".join(block.thinking for block in self.content if block.thinking),
            tool_calls=tuple(
                ToolCall(id=block.id, name=block.name, arguments=block.input)
                for block in self.content
                if block.type == "tool_use"
            ),
            thoughts=tuple(block.thought for block in self.content if block.thought),
        )


def silence(stop_reason: str) -> ProviderError | None:
    """What it means that nothing was said, where the reason tells; else ``None``."""
    if stop_reason == REFUSAL:
        return ContentFilteredError("the model refused to answer", status_code=_OK)
    if stop_reason == WINDOW_EXCEEDED:
        message = "the prompt filled the model's context window"
        return ContextLengthError(message, status_code=_OK)
    return None


class _Model(Shape):
    id: str


class Models(Shape):
    """A page of the list of models."""

    data: tuple[_Model, ...]
