"""What is asked of Ollama: the body of ``POST …/api/chat``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.function_tools import arguments_object, described
from faultmaven.infrastructure.llm.wire.turns import tool_names
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.prompt import Controls, Image, Message, ToolCall

_OPTIONS = ("top_p", "top_k", "seed", "presence_penalty", "frequency_penalty")
_TOP_LEVEL = ("logprobs", "top_logprobs")
_EFFORT = "reasoning_effort"
# Ollama's ``think`` has fewer steps than OpenAI's effort, and ``false`` for none.
_THINK: Mapping[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


def payload(request: CompletionRequest) -> dict[str, Any]:
    """The body.

    Raises:
        UnsupportedRequestError: a tool must be used, or a picture is known by its address alone.
    """
    controls = request.controls
    tools = [described(tool) for tool in controls.tools] if _may_use_tools(controls) else None
    fields: dict[str, Any] = {
        "tools": tools or None,
        "format": _format(request),
        "think": _think(controls),
        **{name: controls.parameters.get(name) for name in _TOP_LEVEL},
    }
    return {
        "model": request.model,
        "messages": list(_messages(request)),
        "stream": request.stream,
        "options": _options(request),
    } | _without_none(fields)


def ignored(request: CompletionRequest) -> tuple[str, ...]:
    """What of the request has no place in the body, in the caller's names."""
    controls = request.controls
    effort = () if _think(controls) is None else (_EFFORT,)
    carried = (*_OPTIONS, *_TOP_LEVEL, *effort)
    further = {
        "parallel_tool_calls": controls.parallel_tool_calls is False,
        "strict": any(tool.strict for tool in controls.tools),
    }
    missing = (name for name, asked in further.items() if asked)
    return tuple(sorted({*left_out(request, carried=carried), *missing}))


def _think(controls: Controls) -> bool | str | None:
    return _THINK.get(str(controls.parameters.get(_EFFORT)))


def _may_use_tools(controls: Controls) -> bool:
    """Whether the model is shown the tools: Ollama has no other word for a choice.

    Raises:
        UnsupportedRequestError: it must use one.
    """
    mode = controls.tool_choice.mode if controls.tool_choice else "auto"
    if mode in ("required", "tool"):
        raise UnsupportedRequestError("Ollama's models cannot be made to use a tool")
    return mode == "auto"


def _format(request: CompletionRequest) -> dict[str, Any] | str | None:
    """The schema that is demanded, or any object, or the schema that is wished for."""
    demanded = request.controls.response_format
    if demanded is None:
        wished = request.response_schema
        return None if wished is None else schema.plain(wished)
    return "json" if demanded.schema is None else schema.plain(demanded.schema)


def _options(request: CompletionRequest) -> dict[str, Any]:
    parameters = request.controls.parameters
    fields: dict[str, Any] = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "stop": list(request.stop) or None,
        **{name: parameters.get(name) for name in _OPTIONS},
    }
    return _without_none(fields)


def _messages(request: CompletionRequest) -> Iterator[dict[str, Any]]:
    names = tool_names(request.messages)  # a result names its tool here, not its call
    for message in request.messages:
        yield _message(message, tool_name=names.get(message.tool_call_id, ""))


def _message(message: Message, *, tool_name: str) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.images:
        turn["images"] = [_image(image) for image in message.images]
    if message.tool_calls:
        turn["tool_calls"] = [_call(call) for call in message.tool_calls]
    if tool_name:
        turn["tool_name"] = tool_name
    return turn


def _image(image: Image) -> str:
    if not image.data:
        raise UnsupportedRequestError("Ollama takes pictures by their bytes, not by their address")
    return image.data


def _call(call: ToolCall) -> dict[str, Any]:
    return {"function": {"name": call.name, "arguments": arguments_object(call.arguments)}}


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
