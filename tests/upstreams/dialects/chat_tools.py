"""Tools in OpenAI's format: how they are offered, chosen, called, and answered."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from upstreams.dialects import fields, schemas
from upstreams.dialects.problems import Problem, Refused

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CHOICES = frozenset({"none", "auto", "required"})


def check_tools(body: Mapping[str, Any]) -> None:
    """Check the tools offered, the choice among them, and that no choice comes without any."""
    if body.get("tools") is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None:
                text = f"Invalid value for '{name}': only allowed when 'tools' are specified."
                raise Refused(Problem.INVALID, text, name)
        return
    tools = fields.items(body, "tools", message="[] is too short - 'tools'")
    names = {_check_tool(tool) for tool in tools}
    fields.flag(body, "parallel_tool_calls")
    _check_choice(body.get("tool_choice"), names)


def _check_tool(tool: Any) -> str:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        raise Refused(Problem.INVALID, "Missing required parameter: 'tools[].function'.", "tools")
    name = function.get("name")
    check_name(name, param="tools[].function.name")
    schema = fields.mapping(function, "parameters")
    if schema and not schemas.is_object(schema):
        text = f"Invalid schema for function '{name}': schema must be of type object."
        raise Refused(Problem.INVALID, text, "tools")
    if function.get("strict"):
        start = f"Invalid schema for function '{name}': "
        schemas.closed(schema, message=start + "'additionalProperties' must be false.")
        schemas.complete(schema, message=start + "'required' must include every property.")
    return str(name)


def check_name(name: Any, *, param: str) -> None:
    """Check a tool's name.

    Raises:
        Refused: It is not 1 to 64 letters, digits, underscores and dashes.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = f"Invalid '{param}': string does not match pattern '^[a-zA-Z0-9_-]{{1,64}}$'."
        raise Refused(Problem.INVALID, text, param)


def _check_choice(choice: Any, names: set[str]) -> None:
    if choice is None or (isinstance(choice, str) and choice in _CHOICES):
        return
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(function, dict) or choice.get("type") != "function":
        raise Refused(Problem.INVALID, f"Invalid value: {choice!r}.", "tool_choice")
    if function.get("name") not in names:
        text = f"Tool choice '{function.get('name')}' not found in 'tools' parameter."
        raise Refused(Problem.INVALID, text, "tool_choice")


def check_calls(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check the shape of every call and of every result, each by itself."""
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        if message["role"] == "assistant":
            for call in message.get("tool_calls") or ():
                _check_call(call, where=f"{where}.tool_calls")
        if message["role"] == "tool" and not isinstance(message.get("tool_call_id"), str):
            text = f"Missing parameter 'tool_call_id': {where} has the role 'tool'."
            raise Refused(Problem.INVALID, text, f"{where}.tool_call_id")


def _check_call(call: Any, *, where: str) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or call.get("type") != "function":
        raise Refused(Problem.INVALID, f"Missing required parameter: '{where}'.", where)
    if not isinstance(call.get("id"), str):
        raise Refused(Problem.INVALID, f"Missing required parameter: '{where}.id'.", where)
    check_name(function.get("name"), param=f"{where}.function.name")
    if not isinstance(function.get("arguments"), str):
        text = f"Invalid type for '{where}.function.arguments': expected a string."
        raise Refused(Problem.INVALID, text, where)


def check_call_ids(messages: Sequence[Mapping[str, Any]], *, longest: int) -> None:
    """Check the length of the calls' IDs."""
    for place, message in enumerate(messages):
        calls = message.get("tool_calls") or ()
        for identity in (message.get("tool_call_id"), *(call["id"] for call in calls)):
            if identity is not None and len(identity) > longest:
                where = f"messages[{place}].tool_call_id"
                text = f"Invalid '{where}': string too long. Expected at most {longest}."
                raise Refused(Problem.INVALID, text, where)


def check_pairs(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check that calls are answered at once and completely, and nothing else is answered.

    Source: the two messages of OpenAI's API about roles of tool messages.
    """
    waiting: set[str] = set()
    called: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            _check_answers(message, called)
            waiting.discard(message["tool_call_id"])
            continue
        _check_answered(waiting)
        called = {call["id"] for call in message.get("tool_calls") or ()}
        waiting = set(called)
    _check_answered(waiting)


def _check_answers(message: Mapping[str, Any], called: set[str]) -> None:
    if message["tool_call_id"] not in called:
        text = (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'."
        )
        raise Refused(Problem.INVALID, text, "messages")


def _check_answered(waiting: set[str]) -> None:
    if waiting:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            f"to each 'tool_call_id'. Not answered: {', '.join(sorted(waiting))}"
        )
        raise Refused(Problem.INVALID, text, "messages")
