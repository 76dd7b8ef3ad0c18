"""What is asked of Cohere: the body of ``POST …/v2/chat``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.alternation import Result, Turn, alternate
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.cohere_sampling import sampling
from faultmaven.infrastructure.llm.wire.function_tools import arguments_text, described
from faultmaven.infrastructure.llm.wire.turns import refuse_images, system_text
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.prompt import Controls, Image, Message, Tool, ToolCall

_CHOICES: Mapping[str, str] = {"none": "NONE", "required": "REQUIRED", "tool": "REQUIRED"}
_NOTHING = "(empty)"  # an empty result is refused
# https://docs.cohere.com/docs/models: the others take text alone.
_SEES = re.compile(r"vision|command-a-plus", re.IGNORECASE)


def payload(request: CompletionRequest) -> dict[str, Any]:
    """The body.

    Raises:
        UnsupportedRequestError: there are pictures and the model takes none, or a form of the
            answer is demanded beside tools, or a tool's result is a picture.
    """
    if not _SEES.search(request.model):
        refuse_images(request.messages)
    controls = request.controls
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": list(_messages(request.messages)),
        "stream": request.stream,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stop_sequences": list(request.stop) or None,
        "logprobs": controls.parameters.get("logprobs"),
        **sampling(controls.parameters),
        **_tools(controls),
        "response_format": _response_format(request),
    }
    return {name: value for name, value in fields.items() if value is not None}


def ignored(request: CompletionRequest) -> tuple[str, ...]:
    """What of the request has no place in the body, in the caller's names."""
    controls = request.controls
    carried = ("logprobs", *sampling(controls.parameters, in_openai_names=True))
    further = ("parallel_tool_calls",) if controls.parallel_tool_calls is False else ()
    return tuple(sorted((*left_out(request, carried=carried), *further)))


def _tools(controls: Controls) -> dict[str, Any]:
    """The tools that are offered; there is no word for one of them but to offer no other."""
    tools, choice = _offered(controls), controls.tool_choice
    if not tools:
        return {}
    return {
        "tools": [described(tool) for tool in tools],
        "strict_tools": any(tool.strict for tool in tools) or None,
        "tool_choice": _CHOICES.get(choice.mode) if choice else None,
    }


def _offered(controls: Controls) -> tuple[Tool, ...]:
    """Forbidden tools are still shown, as a conversation may speak of them, where they may be."""
    choice = controls.tool_choice
    if choice is None or choice.mode in ("auto", "required"):
        return controls.tools
    if choice.mode == "tool":
        return tuple(tool for tool in controls.tools if tool.name == choice.name)
    return () if controls.response_format else controls.tools


def _response_format(request: CompletionRequest) -> dict[str, Any] | None:
    """The form that is demanded, else the one that is wished for; none goes with tools.

    https://docs.cohere.com/docs/structured-outputs

    Raises:
        UnsupportedRequestError: one is demanded beside tools.
    """
    demanded, wished = request.controls.response_format, request.response_schema
    tools = _offered(request.controls)
    if demanded is not None and tools:
        raise UnsupportedRequestError("Cohere takes either tools or a form of the answer")
    wanted = demanded.schema if demanded is not None else wished
    if wanted is not None and not tools:
        return {"type": "json_object", "json_schema": schema.plain(wanted)}
    return None if demanded is None else {"type": "json_object"}


def _messages(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    """The conversation with every call answered by its result: others are refused."""
    messages = tuple(messages)
    system = system_text(messages)
    if system:
        yield {"role": "system", "content": system}
    for turn in alternate(messages):
        yield from _turn(turn)


def _turn(turn: Turn) -> Iterator[dict[str, Any]]:
    for result in turn.results:
        yield _result(result)
    if turn.calls:
        yield _calling(turn)
    elif turn.text or turn.images:
        yield {"role": turn.role, "content": _content(turn)}


def _result(result: Result) -> dict[str, Any]:
    if result.images:
        raise UnsupportedRequestError("Cohere takes no pictures as the result of a tool")
    text = result.text if result.text.strip() else _NOTHING
    return {"role": "tool", "tool_call_id": result.call.id, "content": text}


def _calling(turn: Turn) -> dict[str, Any]:
    """A turn that calls tools: what is said beside the calls is called a plan."""
    plan = {"tool_plan": turn.text} if turn.text else {}
    return {"role": "assistant", "tool_calls": [_call(call) for call in turn.calls]} | plan


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments_text(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    if not turn.images:
        return turn.text
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    return [*text, *(_picture(image) for image in turn.images)]


def _picture(image: Image) -> dict[str, Any]:
    """https://docs.cohere.com/docs/image-inputs."""
    picture = {"url": image.url or f"data:{image.media_type};base64,{image.data}"}
    detail = {"detail": image.detail} if image.detail else {}
    return {"type": "image_url", "image_url": picture | detail}
