"""A chat request as the question it is, in our words."""

from __future__ import annotations

from faultmaven.api.extensions import Extended
from faultmaven.api.openai.conversation import conversation
from faultmaven.api.openai.request import (
    ChatRequest,
    Function,
    NamedFunction,
    NamedTool,
    ResponseFormatShape,
)
from faultmaven.api.refusals import InvalidFieldsError
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.faults import FieldFault
from faultmaven.models.prompt import Controls, ResponseFormat, Tool, ToolChoice

PROTOCOL = "openai"
"""Under this name fields travel that only this protocol's providers understand."""

_NONE = Controls()
_NO_CONTROLS = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "stop",
        "stream",
        "stream_options",
        "n",
        *Extended.model_fields,
    }
)


def speaks_of_functions(request: ChatRequest) -> bool:
    """Whether the caller uses the old words, and has to be answered in them."""
    return bool(request.functions) and not request.tools


def question_of(
    request: ChatRequest, timeout: str | None = None, *, size: int = 0
) -> CompletionQuestion:
    """The question behind a request.

    Args:
        request: the body.
        timeout: what a header says of the time there is.
        size: bytes of the body.

    Raises:
        InvalidInputError: the choice of a tool does not fit the tools, or a header is wrong.
    """
    return CompletionQuestion(
        model=request.model,
        messages=conversation(request.messages),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        temperature=request.temperature,
        stop=_stops(request),
        controls=_controls(request),
        providers=tuple(dict.fromkeys(request.providers)) if request.providers else (),
        confidence_threshold=request.confidence_threshold,
        require_confidence=bool(request.require_confidence),
        max_cost_usd=request.max_cost_usd,
        timeout=request.timeout(timeout),
        size=size,
    )


def _stops(request: ChatRequest) -> tuple[str, ...]:
    if request.stop is None:
        return ()
    return (request.stop,) if isinstance(request.stop, str) else tuple(request.stop)


def _controls(request: ChatRequest) -> Controls:
    if request.model_fields_set <= _NO_CONTROLS:  # as most callers have it
        return _NONE
    tools = _tools(request)
    return Controls(
        tools=tools,
        tool_choice=_tool_choice(request, tools),
        parallel_tool_calls=_parallel(request) if tools else None,
        response_format=_response_format(request.response_format),
        parameters=request.parameters,
        native={PROTOCOL: request.unknown} if request.model_extra else {},
    )


def _tools(request: ChatRequest) -> tuple[Tool, ...]:
    if request.tools:
        return tuple(_tool(tool.function) for tool in request.tools)
    return tuple(map(_tool, request.functions)) if request.functions else ()


def _tool(function: Function) -> Tool:
    return Tool(function.name, function.description or "", function.parameters, function.strict)


def _parallel(request: ChatRequest) -> bool | None:
    """One call at a time for who speaks the old words, which have no place for several."""
    return False if speaks_of_functions(request) else request.parallel_tool_calls


def _tool_choice(request: ChatRequest, tools: tuple[Tool, ...]) -> ToolChoice | None:
    """The choice, in whichever words it was made.

    Raises:
        InvalidFieldsError: it demands a tool that was not offered.
    """
    field = "tool_choice" if request.tool_choice is not None else "function_call"
    wanted = request.tool_choice if request.tool_choice is not None else request.function_call
    # Without tools there is nothing that may or may not be chosen.
    if wanted is None or (not tools and isinstance(wanted, str) and wanted != "required"):
        return None
    name = _name_of(wanted)
    if not tools or (name and name not in {tool.name for tool in tools}):
        message = "demands a tool that is not among the tools"
        raise InvalidFieldsError(FieldFault(field, message, "Send the tool, or choose another."))
    if isinstance(wanted, str):
        return ToolChoice(wanted)
    return ToolChoice("tool", name)


def _name_of(wanted: str | NamedTool | NamedFunction) -> str:
    if isinstance(wanted, str):
        return ""
    return wanted.function.name if isinstance(wanted, NamedTool) else wanted.name


def _response_format(wanted: ResponseFormatShape | None) -> ResponseFormat | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.json_schema is None:
        return ResponseFormat()
    found = wanted.json_schema
    return ResponseFormat(found.schema_, found.name, found.strict, found.description or "")
