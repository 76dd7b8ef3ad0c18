"""The body of a chat completion, checked.

Every field that OpenAI documents is known here; what is not is passed on to providers that
speak the same protocol, since it may be newer than this gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic import model_validator as checked

from faultmaven.api.extensions import Extended, JsonObject, ModelName
from faultmaven.api.openai.parts import ChatMessage, Shape, Texts
from faultmaven.models.faults import fault

_MAX_STOPS = 4
MAX_TOKENS = 10_000_000

Number = Annotated[float, Field(allow_inf_nan=False)]
Penalty = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=1, le=MAX_TOKENS)]


def _few_stops(stops: str | list[str]) -> str | list[str]:
    texts = [stops] if isinstance(stops, str) else stops
    if len(texts) > _MAX_STOPS:
        raise fault(f"must have at most {_MAX_STOPS} entries", fix="Send fewer entries.")
    if not all(texts):
        raise fault("must not hold an empty text", fix="Leave it out.")
    return stops


def _biases(biases: dict[str, Any]) -> dict[str, Any]:
    if not all(isinstance(b, int | float) and -100 <= b <= 100 for b in biases.values()):  # noqa: PLR2004 - OpenAI's bounds
        raise fault("must map token ids to numbers from -100 to 100", fix="Correct the numbers.")
    return biases


def _text_only(modalities: list[str]) -> list[str]:
    if set(modalities) - {"text"}:
        raise fault("can only be text", fix='Send ["text"], or leave it out.')
    return modalities


def _one(n: int) -> int:
    if n != 1:
        raise fault("must be 1: one answer is given per request", fix="Ask several times.")
    return n


def _no_audio(audio: Any) -> Any:
    if audio is not None:
        raise fault("cannot be asked for: answers are text", fix="Leave it out.")
    return audio


class Function(Shape):
    """A function that the model may call."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class ToolShape(Shape):
    """A tool that the model may ask for."""

    type: Literal["function"]
    function: Function


class NamedFunction(Shape):
    """A function by its name."""

    name: Annotated[str, Field(min_length=1)]


class NamedTool(Shape):
    """A tool by its name."""

    type: Literal["function"]
    function: NamedFunction


def _kind_of_choice(value: object) -> str:
    return "#mode" if isinstance(value, str) else "#named"


ToolChoiceShape = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("#mode")]
    | Annotated[NamedTool, Tag("#named")],
    Discriminator(_kind_of_choice),
]
FunctionChoiceShape = Annotated[
    Annotated[Literal["none", "auto"], Tag("#mode")] | Annotated[NamedFunction, Tag("#named")],
    Discriminator(_kind_of_choice),
]


class SchemaShape(Shape):
    """A JSON schema that the answer must follow."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    description: str | None = None
    schema_: JsonObject | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseFormatShape(Shape):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaShape | None = None

    @checked(mode="after")
    def _has_its_schema(self) -> ResponseFormatShape:
        if self.type == "json_schema" and self.json_schema is None:
            raise fault("is missing", fix="Add name and schema.", field="json_schema")
        return self


class StreamOptions(Shape):
    """What a stream tells beside the answer."""

    include_usage: bool | None = None


class ChatRequest(Extended):
    """What ``POST /v1/chat/completions`` takes."""

    model: ModelName = Field(
        description="auto (the chain), a provider, provider/model, a model of the chain, or "
        "faultmaven/troubleshoot; see GET /v1/models."
    )
    messages: Annotated[list[ChatMessage], Field(min_length=1)]

    tools: list[ToolShape] | None = None
    functions: list[Function] | None = Field(default=None, description="Old form of tools.")
    tool_choice: ToolChoiceShape | None = None
    function_call: FunctionChoiceShape | None = Field(
        default=None, description="Old form of tool_choice."
    )
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormatShape | None = None

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, AfterValidator(_one)] | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = Field(
        default=None, description="Wins where max_tokens is sent as well."
    )
    stop: Annotated[Texts, AfterValidator(_few_stops)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    modalities: Annotated[list[str], AfterValidator(_text_only)] | None = None
    audio: Annotated[Any, AfterValidator(_no_audio)] = None

    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    top_k: int | None = Field(default=None, description="Not OpenAI's; most others have it.")
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: Annotated[dict[str, Any], AfterValidator(_biases)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    reasoning_effort: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    verbosity: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    metadata: JsonObject | None = Field(
        default=None, description="session_id names the session of faultmaven/troubleshoot."
    )
    service_tier: Annotated[str, Field(max_length=32)] | None = None
    store: bool | None = None
    prediction: JsonObject | None = None
    web_search_options: JsonObject | None = None

    @checked(mode="after")
    def _is_consistent(self) -> ChatRequest:
        if self.stream_options is not None and not self.stream:
            raise fault(
                "is only allowed when stream is true",
                fix="Set stream, or leave it out.",
                field="stream_options",
            )
        if self.top_logprobs and not self.logprobs:
            raise fault("needs logprobs", fix="Set logprobs to true.", field="top_logprobs")
        return self

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The further fields that were sent, in OpenAI's names."""
        if self.model_fields_set.isdisjoint(_PARAMETERS):  # most callers send none
            return {}
        sent = {name: getattr(self, name) for name in _PARAMETERS}
        return {name: value for name, value in sent.items() if value is not None}

    @property
    def wants_usage(self) -> bool:
        """Whether the stream is to end with the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


_PARAMETERS = (
    "top_p",
    "top_k",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
    "verbosity",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "metadata",
    "service_tier",
    "store",
    "prediction",
    "web_search_options",
)
