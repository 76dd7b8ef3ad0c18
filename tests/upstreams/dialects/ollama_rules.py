"""What Ollama checks in a native request, which is what its decoder of JSON checks."""

from collections.abc import Mapping
from typing import Any

from upstreams.dialects.chat_rules import is_base64
from upstreams.dialects.problems import Problem, Refused


def check_messages(messages: Any) -> None:
    """Check the messages: texts, images in base64, and calls with objects for arguments."""
    if not isinstance(messages, list):
        raise Refused(Problem.INVALID, "json: cannot unmarshal messages into a list")
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("content", ""), str):
            raise Refused(Problem.INVALID, "json: cannot unmarshal content into a string")
        _check_images(message.get("images"))
        for call in message.get("tool_calls") or ():
            _check_call(call)


def _check_images(images: Any) -> None:
    if images is None:
        return
    if not isinstance(images, list) or not all(is_base64(image) for image in images):
        raise Refused(Problem.INVALID, "illegal base64 data at input byte 4")


def _check_call(call: Any) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments", {}), dict):
        text = (
            "json: cannot unmarshal string into Go struct field "
            "ToolCallFunction.messages.tool_calls.function.arguments of type map[string]interface"
        )
        raise Refused(Problem.INVALID, text)


def check_tools(body: Mapping[str, Any]) -> None:
    """Check that the tools are a list of objects with a function."""
    tools = body.get("tools") or []
    if not isinstance(tools, list) or not all(
        isinstance(tool, dict) and isinstance(tool.get("function"), dict) for tool in tools
    ):
        raise Refused(Problem.INVALID, "json: cannot unmarshal tools into a list of api.Tool")


def check_format(asked: Any) -> None:
    """Check the format: a word or a schema."""
    if asked in (None, "", "json") or isinstance(asked, dict):
        return
    raise Refused(Problem.INVALID, 'invalid format: expected "json" or a JSON schema')
