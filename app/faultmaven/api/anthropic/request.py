"""What a caller of ``/v1/messages`` sends, checked, and the question it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from faultmaven.api.anthropic.blocks import (
    Content,
    Shape,
    Turn,
    require_types,
)
from faultmaven.api.anthropic.conversation import conversation
from faultmaven.api.extensions import Extended, JsonObject, ModelName, written
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.faults import fault
from faultmaven.models.prompt import Controls, Message, ResponseFormat, Tool, ToolChoice

PROTOCOL = "anthropic"
"""Under this name fields travel that only Anthropic itself understands."""

_MODES: dict[str, Literal["auto", "none", "required", "tool"]] = {
    "auto": "auto",
    "any": "required",
    "tool": "tool",
    "none": "none",
}

_NONE = Controls()
_NO_CONTROLS = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "temperature",
        "stop_sequences",
        "stream",
        *Extended.model_fields,
    }
)

Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ToolShape(Shape):
    """A tool that the caller runs."""

    type: str | None = None
    name: Annotated[str, Field(min_length=1, max_length=128)] = ""
    description: str | None = None
    input_schema: JsonObject | None = None
    strict: bool | None = None

    @model_validator(mode="after")
    def _is_the_callers(self) -> ToolShape:
        if self.type not in (None, "custom"):
            raise fault(
                "is a tool that Anthropic defines, which other providers do not have",
                fix="Define it yourself, with name, description and input_schema.",
                field="type",
            )
        for field in ("name", "input_schema"):
            if not getattr(self, field) and getattr(self, field) != {}:
                raise fault("is missing", fix="Add the field.", field=field)
        return self

    @property
    def tool(self) -> Tool:
        """The tool in our words."""
        return Tool(self.name, self.description or "", self.input_schema, self.strict)


class ToolChoiceShape(Shape):
    """Whether a tool may, must or must not be used."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None

    @model_validator(mode="after")
    def _names_its_tool(self) -> ToolChoiceShape:
        if self.type == "tool" and not self.name:
            raise fault("is missing", fix="Name the tool.", field="name")
        return self

    @property
    def choice(self) -> ToolChoice:
        """The choice in our words."""
        return ToolChoice(_MODES[self.type], (self.name or "") if self.type == "tool" else "")


class Metadata(Shape):
    """Who asks, as far as the vendor may know."""

    user_id: str | None = None


class FormatShape(Shape):
    """The form of the answer."""

    type: Literal["json_schema"]
    schema_: JsonObject = Field(alias="schema", description="The JSON schema.")


class OutputConfig(Shape):
    """Form and effort of the answer; what else stands there is Anthropic's own."""

    model_config = ConfigDict(extra="allow")

    format: FormatShape | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None

    @model_validator(mode="after")
    def _can_be_passed_on(self) -> OutputConfig:
        for name, value in (self.model_extra or {}).items():
            written(value, field=name)
        return self


class ConversationRequest(Extended):
    """What both operations read."""

    model: ModelName = Field(
        description="auto, a provider, provider/model, a model of the chain, or a name in "
        "MODEL_MAP; GET /v1/models lists them."
    )
    messages: list[Turn] = Field(
        min_length=1,
        max_length=100_000,
        description="The conversation, from text, image, tool_use, tool_result and thinking.",
    )
    system: Content | None = Field(default=None, description="The system prompt.")
    tools: list[ToolShape] | None = Field(default=None, description="Tools that you run.")
    tool_choice: ToolChoiceShape | None = Field(
        default=None, description="Whether a tool may, must or must not be used."
    )
    thinking: JsonObject | None = Field(
        default=None, description="Reaches Claude as it is; elsewhere it shows the thoughts."
    )
    output_config: OutputConfig | None = Field(
        default=None, description="A JSON schema for the answer, and the effort."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> ConversationRequest:
        if self.system:
            require_types(self.system, ("text",), field="system", whose="the system prompt")
        choice = self.tool_choice
        if choice is None:
            return self
        names = {tool.name for tool in self.tools or ()}
        if choice.type == "any" and not names:
            raise fault(
                "asks for a tool, but there is none", fix="Send tools.", field="tool_choice"
            )
        if choice.type == "tool" and choice.name not in names:
            message = "is none of the tools"
            raise fault(message, fix="Name one of them.", field="tool_choice.name")
        return self

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The whole conversation in our words."""
        return conversation(self.system or (), self.messages)

    @property
    def shows_thoughts(self) -> bool:
        """Whether the caller wants to read what the model thinks."""
        thinking = self.thinking
        if not thinking:
            return False
        hidden = thinking.get("display") == "omitted"
        return thinking.get("type") not in (None, "disabled") and not hidden


class MessagesRequest(ConversationRequest):
    """One question in Anthropic's words.

    A field this service does not know goes to Anthropic as it is; an answer by anybody else
    names it in ``X-FaultMaven-Ignored-Fields``.
    """

    max_tokens: int = Field(ge=1, le=10_000_000, description="Most tokens of the answer.")
    stream: bool | None = Field(default=None, description="Whether it comes piece by piece.")
    stop_sequences: list[str] | None = Field(default=None, description="What ends the answer.")
    temperature: Unit | None = Field(default=None, description="Sampling temperature.")
    top_p: Unit | None = Field(default=None, description="Nucleus sampling.")
    top_k: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        default=None, description="Sample among this many tokens."
    )
    metadata: Metadata | None = Field(default=None, description="user_id alone is passed on.")
    output_format: FormatShape | None = Field(
        default=None, description="The earlier name of output_config.format."
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the rest of the service sees it.

    Attributes:
        question: what is asked.
        stream: whether the answer comes piece by piece.
        shows_thoughts: whether the caller wants to read what the model thinks.
    """

    question: CompletionQuestion
    stream: bool
    shows_thoughts: bool


def asked(body: MessagesRequest, timeout: str | None = None, *, size: int = 0) -> Asked:
    """The question in a body.

    Args:
        body: the body.
        timeout: what a header says of the time there is.
        size: bytes of the body.

    Raises:
        InvalidInputError: the header that gives seconds does not.
    """
    question = CompletionQuestion(
        model=body.model,
        messages=body.conversation,
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        stop=tuple(filter(None, body.stop_sequences)) if body.stop_sequences else (),
        controls=_controls(body),
        providers=tuple(dict.fromkeys(body.providers)) if body.providers else (),
        confidence_threshold=body.confidence_threshold,
        require_confidence=bool(body.require_confidence),
        max_cost_usd=body.max_cost_usd,
        timeout=body.timeout(timeout),
        size=size,
    )
    return Asked(question, bool(body.stream), body.shows_thoughts)


def _controls(body: MessagesRequest) -> Controls:
    if body.model_fields_set <= _NO_CONTROLS:  # as most callers have it
        return _NONE
    tools = tuple(tool.tool for tool in body.tools or ())
    choice = body.tool_choice if tools else None
    alone = choice.disable_parallel_tool_use if choice else None
    native = dict(_native(body))
    return Controls(
        tools=tools,
        tool_choice=choice.choice if choice else None,
        parallel_tool_calls=None if alone is None else not alone,
        response_format=_response_format(body),
        parameters=dict(_parameters(body)),
        native={PROTOCOL: native} if native else {},
    )


def _response_format(body: MessagesRequest) -> ResponseFormat | None:
    form = (body.output_config and body.output_config.format) or body.output_format
    return ResponseFormat(form.schema_) if form else None


def _parameters(body: MessagesRequest) -> Iterator[tuple[str, Any]]:
    fields = {
        "top_p": body.top_p,
        "top_k": body.top_k,
        "user": body.metadata and body.metadata.user_id,
        "reasoning_effort": body.output_config and body.output_config.effort,
    }
    yield from ((name, value) for name, value in fields.items() if value is not None)


def _native(body: MessagesRequest) -> Iterator[tuple[str, Any]]:
    """What only Anthropic has a word for."""
    further = body.output_config.model_extra if body.output_config else None
    fields = {"thinking": body.thinking, "output_config": further or None, **body.unknown}
    yield from ((name, value) for name, value in fields.items() if value is not None)
