"""What a caller asks of Gemini's models beside the conversation, in the vendor's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import gemini_models as models
from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.prompt import Tool

_Fields = dict[str, Any]

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
_PARAMETERS = {
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_SEEDS = range(-(2**31), 2**31)
_JSON = "application/json"


def tools(request: CompletionRequest) -> list[_Fields] | None:
    """The tools on offer."""
    offered = request.controls.tools
    return [{"functionDeclarations": [_declared(tool) for tool in offered]}] if offered else None


def tool_config(request: CompletionRequest) -> _Fields | None:
    """Whether the model may, must or must not use them."""
    choice = request.controls.tool_choice
    if choice is None or not request.controls.tools:
        return None
    config: _Fields = {"mode": _MODES[choice.mode]}
    if choice.mode == "tool":
        config["allowedFunctionNames"] = [choice.name]
    return {"functionCallingConfig": config}


def configuration(request: CompletionRequest) -> _Fields:
    """How to write the answer.

    Raises:
        UnsupportedRequestError: the caller demands a form that the model cannot promise.
    """
    fields = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "stopSequences": list(request.stop) or None,
        **_form(request),
        **{field: value for _, field, value in _carried(request)},
    }
    return {name: value for name, value in fields.items() if value is not None}


def carried(request: CompletionRequest) -> set[str]:
    """Names of the caller's parameters that are sent."""
    names = {name for name, _, _ in _carried(request)}
    silent = {name for name, value in request.controls.parameters.items() if value is False}
    return names | (silent & {"logprobs"})


def unknown(request: CompletionRequest) -> list[str]:
    """What is asked of tools that Gemini has no word for, in the caller's names."""
    controls = request.controls
    asked = {
        "parallel_tool_calls": controls.parallel_tool_calls is False,
        "strict": any(tool.strict and tool.parameters for tool in controls.tools),
    }
    return [name for name, is_asked in asked.items() if is_asked]


def _declared(tool: Tool) -> _Fields:
    described = {"description": tool.description} if tool.description else {}
    if tool.parameters is None:
        return {"name": tool.name, **described}
    parameters = {"type": "object", **schema.plain(tool.parameters)}
    return {"name": tool.name, **described, "parametersJsonSchema": parameters}


def _form(request: CompletionRequest) -> _Fields:
    """The form the caller demands, or else the one we wish for."""
    demanded = request.controls.response_format
    wanted = request.response_schema if demanded is None else demanded.schema
    problem = _objection(request, wanted)
    if demanded is not None and problem:
        raise UnsupportedRequestError(problem)
    if problem or (demanded is None and wanted is None):
        return {}
    promised = {} if wanted is None else {"responseJsonSchema": schema.plain(wanted)}
    return {"responseMimeType": _JSON, **promised}


def _objection(request: CompletionRequest, wanted: Mapping[str, Any] | None) -> str:
    """Why the model cannot promise JSON, with this schema if there is one; or empty."""
    if wanted is not None and not models.knows_schemas(request.model):
        return "the model cannot be held to a JSON schema"
    if request.controls.tools and not models.signs_calls(request.model):
        return "the model cannot be offered tools and held to JSON at once"
    return ""


def _carried(request: CompletionRequest) -> list[tuple[str, str, Any]]:
    """The caller's name, Gemini's name and the value of each parameter that is sent."""
    parameters = request.controls.parameters
    sent = [(name, field, parameters.get(name)) for name, field in _PARAMETERS.items()]
    seed, effort = parameters.get("seed"), parameters.get("reasoning_effort")
    if isinstance(seed, int) and seed in _SEEDS:
        sent.append(("seed", "seed", seed))
    if level := models.thinking_level(request.model, effort):
        sent.append(("reasoning_effort", "thinkingConfig", {"thinkingLevel": level}))
    if parameters.get("logprobs") is True:
        sent.append(("logprobs", "responseLogprobs", True))
        sent.append(("top_logprobs", "logprobs", parameters.get("top_logprobs")))
    return [item for item in sent if item[2] is not None]
