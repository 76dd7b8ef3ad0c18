"""What is asked of a chat completion: the body, and what is left out of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.function_tools import described
from faultmaven.infrastructure.llm.wire.openai_dialects import ChatDialect
from faultmaven.infrastructure.llm.wire.openai_messages import written_messages
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.prompt import ConstantSchema, Controls, ResponseFormat, Tool, ToolChoice
from faultmaven.models.value import value

Fields = dict[str, Any]

_PROTOCOL = "openai"  # whose `Controls.native` fields are sent
_SCHEMA_NAME = "answer"
_EFFORT = "reasoning_effort"
_FOREIGN = ("top_k",)  # other vendors' parameters, which OpenAI's own models refuse
_HIGHEST = {"max": "high"}  # Anthropic's word; not every model of OpenAI's goes beyond high
# Written by the codec, from what the request says elsewhere.
_OURS = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"),
        *("temperature", "stop", "response_format", "tools", "tool_choice", "parallel_tool_calls"),
    )
)
# Refused by reasoning models, except for the value that says nothing.
# https://platform.openai.com/docs/guides/reasoning
_SAMPLING: Mapping[str, Any] = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": {},
}


def payload(request: CompletionRequest, dialect: ChatDialect, options: Mapping[str, str]) -> Fields:
    """The body.

    Args:
        request: what is asked.
        dialect: how the vendor differs from OpenAI.
        options: the endpoint's; those that the dialect has a field for are sent, unless the
            caller says otherwise.

    Raises:
        UnsupportedRequestError: the model cannot be held to the schema that is demanded.
    """
    rules = _rules(dialect, request.model)
    fields = _own(request, dialect, rules)
    if options or request.controls.parameters or request.controls.native:
        fields = _beside(request, dialect, options) | fields
    return {
        name: value
        for name, value in fields.items()
        if value is not None and name not in rules.refused
    }


def ignored(request: CompletionRequest, dialect: ChatDialect) -> tuple[str, ...]:
    """What is asked and not sent, in the caller's names, sorted."""
    controls, temperature = request.controls, request.temperature
    parameters = controls.parameters
    if not (parameters or controls.native or request.stop):
        if temperature is None or temperature == _SAMPLING["temperature"]:
            return ()  # most requests ask nothing that a model might refuse
        return ("temperature",) if "temperature" in _rules(dialect, request.model).refused else ()
    elsewhere = left_out(request, carried=parameters.keys() - _OURS, protocol=_PROTOCOL)
    asked = {**_further(request), "temperature": temperature, "stop": request.stop or None}
    missed = (
        name
        for name in _rules(dialect, request.model).refused
        if asked.get(name) is not None and asked[name] != _SAMPLING.get(name)
    )
    overruled = _OURS & controls.native.get(_PROTOCOL, {}).keys()
    return tuple(sorted({*elsewhere, *missed, *overruled}))


@value
class _Rules:
    """What one model makes of the body.

    Attributes:
        limit: name of the field for the most tokens to write.
        refused: fields that it answers with an error.
    """

    limit: str
    refused: frozenset[str]


@lru_cache(maxsize=512)  # callers may name models as they like
def _rules(dialect: ChatDialect, model: str) -> _Rules:
    reasons = dialect.reasoning.match(model)
    sampling = _SAMPLING if reasons else ()
    stop = ("stop",) if dialect.without_stop.match(model) else ()
    return _Rules(
        limit="max_completion_tokens" if reasons else "max_tokens",
        refused=frozenset((*sampling, *stop, *_foreign(dialect, model))),
    )


def _foreign(dialect: ChatDialect, model: str) -> tuple[str, ...]:
    if not dialect.own.match(model):
        return ()
    return _FOREIGN if dialect.reasoning.match(model) else (*_FOREIGN, _EFFORT)


def _beside(request: CompletionRequest, dialect: ChatDialect, options: Mapping[str, str]) -> Fields:
    """What the caller or the operator asks beside what every request says."""
    further = _defaults(request, dialect, options) | _further(request)
    effort = further.get(_EFFORT)
    if isinstance(effort, str) and dialect.own.match(request.model):
        further[_EFFORT] = _HIGHEST.get(effort, effort)
    return {name: value for name, value in further.items() if name not in _OURS}


def _further(request: CompletionRequest) -> Fields:
    """What the caller asks in OpenAI's own words."""
    controls = request.controls
    return {**controls.native.get(_PROTOCOL, {}), **controls.parameters}


def _defaults(
    request: CompletionRequest, dialect: ChatDialect, options: Mapping[str, str]
) -> Fields:
    """What the operator asks for where the caller does not."""
    fields = {name: options[name] for name in dialect.option_fields if name in options}
    if request.controls.tools and dialect.without_effort_for_tools.match(request.model):
        fields.pop(_EFFORT, None)
    return fields


def _own(request: CompletionRequest, dialect: ChatDialect, rules: _Rules) -> Fields:
    fields: Fields = {
        "model": request.model,
        "messages": written_messages(request.messages),
        rules.limit: request.max_tokens,
        "temperature": request.temperature,
        "stop": request.stop or None,
    }
    controls = request.controls
    if controls.response_format is not None:
        fields["response_format"] = _demanded(controls.response_format, request.model, dialect)
    elif request.response_schema is not None:
        fields["response_format"] = _wished(request.response_schema, dialect)
    if controls.tools:  # without any, the vendor refuses to be told how they may be used
        fields |= _tools(controls)
    if request.stream:
        fields |= _stream(dialect)
    return fields


def _stream(dialect: ChatDialect) -> Fields:
    options = {"include_usage": True} if dialect.stream_usage else None
    return {"stream": True, "stream_options": options}


def _tools(controls: Controls) -> Fields:
    """The tools, and how they may be used."""
    return {
        "tools": [_tool(tool) for tool in controls.tools],
        "tool_choice": _choice(controls.tool_choice),
        "parallel_tool_calls": controls.parallel_tool_calls,
    }


def _tool(tool: Tool) -> Fields:
    written = described(tool)
    if tool.strict is not None:
        written["function"]["strict"] = tool.strict
    return written


def _choice(choice: ToolChoice | None) -> Fields | str | None:
    if choice is None:
        return None
    if choice.mode != "tool":
        return choice.mode
    return {"type": "function", "function": {"name": choice.name}}


def _demanded(form: ResponseFormat, model: str, dialect: ChatDialect) -> Fields:
    """The caller's own schema as it is: what the vendor thinks of it is the caller's business."""
    if form.schema is None:
        return {"type": "json_object"}
    if dialect.without_schemas.match(model):
        raise UnsupportedRequestError(f"{model} cannot be held to a JSON schema")
    strict = {} if form.strict is None else {"strict": form.strict}
    said = {"description": form.description} if form.description else {}
    return _schema({"name": form.name, **said, "schema": schema.plain(form.schema)} | strict)


def _wished(wish: Mapping[str, Any], dialect: ChatDialect) -> Fields:
    """Our own schema, adapted so that the vendor promises to follow it."""
    if isinstance(wish, ConstantSchema):
        return _constant(wish, dialect)
    return _adapted(wish, dialect)


@lru_cache(maxsize=16)  # a few constants, in the few dialects
def _constant(wish: ConstantSchema, dialect: ChatDialect) -> Fields:
    """What is made of one that never changes; whoever is given it does not change it either."""
    return _adapted(wish, dialect)


def _adapted(wish: Mapping[str, Any], dialect: ChatDialect) -> Fields:
    if not dialect.strict_schemas:
        return _schema({"name": _SCHEMA_NAME, "schema": schema.plain(wish)})
    strict = schema.strict(wish)
    adapted = strict or schema.plain(wish)
    return _schema({"name": _SCHEMA_NAME, "schema": adapted, "strict": strict is not None})


def _schema(described_schema: Fields) -> Fields:
    return {"type": "json_schema", "json_schema": described_schema}
