"""What Cohere checks in a request."""

from collections.abc import Mapping, Sequence
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.problems import Problem, Refused

GENERATE_FIELDS = frozenset(
    [
        "prompt",
        "model",
        "num_generations",
        "stream",
        "max_tokens",
        "truncate",
        "temperature",
        "seed",
        "preset",
        "end_sequences",
        "stop_sequences",
        "k",
        "p",
        "frequency_penalty",
        "presence_penalty",
        "return_likelihoods",
        "raw_prompting",
    ]
)
CHAT_FIELDS = frozenset(
    [
        "stream",
        "model",
        "messages",
        "tools",
        "strict_tools",
        "documents",
        "citation_options",
        "response_format",
        "safety_mode",
        "max_tokens",
        "stop_sequences",
        "temperature",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "k",
        "p",
        "return_prompt",
        "logprobs",
        "tool_choice",
        "thinking",
        "priority",
        "raw_prompting",
    ]
)
_PARTS = frozenset({"text", "image_url", "document", "thinking"})
_CHOICES = frozenset({"REQUIRED", "NONE"})


def check_messages(messages: Sequence[Any]) -> None:
    """Check each message, and that every result of a tool belongs to a call before it."""
    called: set[str] = set()
    for message in messages:
        _check_message(message)
        if message["role"] == "assistant":
            called = {call["id"] for call in message.get("tool_calls") or ()}
        elif message["role"] == "tool":
            _check_result(message, called)
        else:
            called = set()


def _check_message(message: Any) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in {"system", "user", "assistant", "tool"}:
        raise Refused(Problem.INVALID, f"invalid request: invalid role '{role}'")
    content = message.get("content")
    if not content and not message.get("tool_calls"):
        raise Refused(Problem.INVALID, "invalid request: all elements in messages need content")
    for part in content if isinstance(content, list) else ():
        _check_part(part, role=role)
    for call in message.get("tool_calls") or ():
        _check_call(call)


def _check_part(part: Any, *, role: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _PARTS or (kind == "image_url" and role != "user"):
        text = f"invalid request: content type '{kind}' is not supported for role '{role}'"
        raise Refused(Problem.INVALID, text)
    if kind == "image_url":
        url = fields.mapping(part, "image_url").get("url")
        if not str(url).startswith(("data:image/", "https://", "http://")):
            raise Refused(Problem.INVALID, "invalid request: image_url must be a URL or data")


def _check_call(call: Any) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not call.get("id"):
        raise Refused(Problem.INVALID, "invalid request: tool_calls need id and function")
    if not function.get("name") or not isinstance(function.get("arguments"), str):
        raise Refused(Problem.INVALID, "invalid request: tool_calls.function.arguments")


def _check_result(message: Mapping[str, Any], called: set[str]) -> None:
    identity = message.get("tool_call_id")
    if not identity:
        raise Refused(Problem.INVALID, "invalid request: tool messages need tool_call_id")
    if identity not in called:
        text = f"invalid request: no tool call with id '{identity}' in the assistant message before"
        raise Refused(Problem.INVALID, text)


def check_tools(body: Mapping[str, Any]) -> None:
    """Check the tools offered, and that a choice is one of two words."""
    for tool in body.get("tools") or ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not function.get("name"):
            raise Refused(Problem.INVALID, "invalid request: tools.function.name is required")
        if tool.get("type") != "function":
            raise Refused(Problem.INVALID, "invalid request: tools.type must be 'function'")
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not isinstance(choice, str) or choice not in _CHOICES:
        text = "invalid request: tool_choice must be one of 'REQUIRED', 'NONE'"
        raise Refused(Problem.INVALID, text)
    if not body.get("tools"):
        raise Refused(Problem.INVALID, "invalid request: tool_choice needs tools")
