"""What a caller asks of Anthropic's models beside the conversation, in the vendor's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import anthropic_models as models
from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.alternation import Turn
from faultmaven.infrastructure.llm.wire.anthropic_turns import usable_name
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.prompt import Tool

PROTOCOL = "anthropic"
"""Whose fields of `Controls.native` are sent as they are."""

JSON_INSTRUCTION = "Answer with one JSON object and nothing else."
"""What is left of a wish for any JSON object: the API has no mode for it."""

_Fields = dict[str, Any]

_NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}
_MAX_TEMPERATURE = 1.0
_MOST_STRICT_TOOLS = 20
_COMPARTMENTS = ("output_config", "metadata")  # in which fields of both sides may stand


def tools(request: CompletionRequest, turns: Sequence[Turn]) -> list[_Fields] | None:
    """The tools on offer.

    Where none is on offer, but the conversation holds calls, the tools that were called are
    named: Anthropic wants tools that were used to be declared. `tool_choice` then forbids them.
    """
    if request.controls.tools:
        bound = _bound(request)
        return [_tool(tool, bound.get(tool.name)) for tool in request.controls.tools]
    called = {usable_name(call.name): None for turn in turns for call in turn.calls}
    return [_tool(Tool(name), None) for name in called] or None


def loosened(request: CompletionRequest) -> bool:
    """Whether a tool is offered as if it were not strict, though the caller says that it is."""
    strict = {tool.name for tool in request.controls.tools if tool.strict and tool.parameters}
    return not strict <= _bound(request).keys()


def tool_choice(request: CompletionRequest, *, declared: bool) -> _Fields | None:
    """Whether the model may, must or must not use them; ``declared``: whether there are any."""
    controls = request.controls
    if not controls.tools:
        return {"type": "none"} if declared else None
    mode = controls.tool_choice.mode if controls.tool_choice else "auto"
    choice: _Fields = {"type": _CHOICES[mode]}
    if controls.tool_choice and mode == "tool":
        choice["name"] = controls.tool_choice.name
    if controls.parallel_tool_calls is False and mode != "none":
        choice["disable_parallel_tool_use"] = True
    elif controls.tool_choice is None:
        return None
    return choice


def output_config(request: CompletionRequest) -> _Fields | None:
    """The form of the answer, and the effort it is worth.

    Raises:
        UnsupportedRequestError: the caller demands a schema that cannot be promised.
    """
    asked = request.controls.parameters.get("reasoning_effort")
    fields = {"format": _format(request), "effort": models.effort(request.model, asked)}
    return _given(fields) or None


def sampling(request: CompletionRequest, *, version: str, thinking: bool) -> _Fields:
    """``temperature``, ``top_p`` and ``top_k``, where the model takes them."""
    if thinking or not models.samples(request.model, version):
        return {}
    parameters = request.controls.parameters
    fields = _given({name: parameters.get(name) for name in ("top_p", "top_k")})
    if request.temperature is None:
        return fields
    if models.takes_either_sampler(request.model):
        fields.pop("top_p", None)
    return fields | {"temperature": min(request.temperature, _MAX_TEMPERATURE)}


def metadata(request: CompletionRequest) -> _Fields | None:
    """Who asks, as far as the caller says so."""
    user = _user(request)
    return {"user_id": user} if user else None


def carried(request: CompletionRequest, *, thinking: bool) -> set[str]:
    """Names of the caller's parameters that are sent."""
    parameters = request.controls.parameters
    names = set(sampling(request, version=models.DEFAULT_VERSION, thinking=thinking))
    if models.effort(request.model, parameters.get("reasoning_effort")):
        names.add("reasoning_effort")
    user = _user(request)
    sent = {"user": user, "metadata": {"user_id": user}}
    return names | {name for name, value in sent.items() if user and parameters.get(name) == value}


def thinks(fields: Mapping[str, Any]) -> bool:
    """Whether the caller's own fields turn thinking on."""
    return _kind_of_thinking(fields) in ("enabled", "adaptive")


def demands_thoughts(fields: Mapping[str, Any]) -> bool:
    """Whether a tool may only be used on after signed thoughts; adaptive thinking is lenient."""
    return _kind_of_thinking(fields) == "enabled"


def thinking_budget(fields: Mapping[str, Any]) -> int:
    """Most tokens to think, which ``max_tokens`` must exceed; 0 without a budget."""
    budget = fields["thinking"].get("budget_tokens") if thinks(fields) else 0
    return budget if isinstance(budget, int) else 0


def merged(native: Mapping[str, Any], ours: Mapping[str, Any]) -> _Fields:
    """Our fields, and those the caller wrote in Anthropic's own words that we do not write."""
    fields = {**native, **ours}
    for name in _COMPARTMENTS:
        if isinstance(native.get(name), Mapping) and name in ours:
            fields[name] = {**native[name], **ours[name]}
    if isinstance(native.get("tools"), list) and "tools" in ours:
        fields["tools"] = [*ours["tools"], *native["tools"]]  # the vendor's own, such as search
    return fields


def _tool(tool: Tool, bound: schema.Schema | None) -> _Fields:
    described = {"description": tool.description} if tool.description else {}
    if bound is not None:
        return {"name": tool.name, **described, "strict": True, "input_schema": bound}
    parameters = {"type": "object", **(tool.parameters or _NO_PARAMETERS)}
    return {"name": tool.name, **described, "input_schema": schema.plain(parameters)}


def _bound(request: CompletionRequest) -> dict[str, schema.Schema]:
    """Schemas by tool, for those that the model can be held to as the caller wants."""
    strict = [tool for tool in request.controls.tools if tool.strict and tool.parameters]
    if len(strict) > _MOST_STRICT_TOOLS or not models.knows_schemas(request.model):
        return {}
    adapted = ((tool.name, schema.closed(tool.parameters or {})) for tool in strict)
    return {name: closed for name, closed in adapted if closed is not None}


def _format(request: CompletionRequest) -> _Fields | None:
    """The schema the caller demands, or else the one we wish for."""
    demanded = request.controls.response_format
    wanted = request.response_schema if demanded is None else demanded.schema
    if wanted is None:
        return None
    adapted = schema.closed(wanted) if models.knows_schemas(request.model) else None
    if adapted is not None:
        return {"type": "json_schema", "schema": adapted}
    if demanded is not None:
        raise UnsupportedRequestError("the model cannot be held to this JSON schema")
    return None


def _user(request: CompletionRequest) -> str:
    parameters = request.controls.parameters
    data = parameters.get("metadata")
    named = data.get("user_id") if isinstance(data, Mapping) else None
    return next((user for user in (named, parameters.get("user")) if isinstance(user, str)), "")


def _kind_of_thinking(fields: Mapping[str, Any]) -> object:
    thinking = fields.get("thinking")
    return thinking.get("type") if isinstance(thinking, Mapping) else None


def _given(fields: Mapping[str, Any]) -> _Fields:
    return {name: value for name, value in fields.items() if value is not None}
