"""Tools in the shape of OpenAI's functions, as Ollama and Cohere took it over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from faultmaven.errors import ProviderProtocolError, UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.body import write_json
from faultmaven.infrastructure.llm.wire.call_ids import usable_call_id
from faultmaven.models.prompt import Controls, Tool

_OK = 200
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def described(tool: Tool) -> dict[str, Any]:
    """The tool as an entry of ``tools``; one without parameters says so in a schema."""
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    parameters = _NO_PARAMETERS if tool.parameters is None else schema.plain(tool.parameters)
    return {"type": "function", "function": function | {"parameters": parameters}}


def arguments_object(text: str) -> dict[str, Any]:
    """A call's arguments as the object their text stands for.

    A model may have written something else: that is handed on whole, as ``arguments``, so that
    whoever reads the conversation sees what was written.
    """
    value = _value(text)
    return value if isinstance(value, dict) else {"arguments": value}


def arguments_text(text: str) -> str:
    """A call's arguments as JSON text of an object: the text itself wherever it is one."""
    return text if is_object(text) else compact(arguments_object(text))


def is_object(text: str) -> bool:
    """Whether a call's arguments are the JSON text of an object."""
    return bool(text.strip()) and isinstance(_value(text), dict)


def compact(value: Mapping[str, Any]) -> str:
    """The object as compact JSON text.

    Raises:
        ProviderProtocolError: it holds what JSON does not have.
    """
    try:
        return write_json(value).decode()
    except ValueError as error:
        message = "the arguments of a tool call are no JSON"
        raise ProviderProtocolError(message, status_code=_OK) from error


def _value(text: str) -> Any:
    """What the text stands for as JSON; the text itself where it is none."""
    try:
        value = json.loads(text) if text.strip() else {}
        write_json({"": value})  # numbers that JSON does not have are read, but never written
    except (ValueError, RecursionError):
        return text
    return value


def given_call_id(call_id: str, *, answer: str, place: int) -> str:
    """The call's id, or one made up for a call that has none.

    Args:
        call_id: as the vendor wrote it; or empty.
        answer: what tells this answer from the others of a conversation: ids may not repeat in it.
        place: which call of the answer, from 0.
    """
    return call_id or usable_call_id(f"{answer}#{place}")


def refuse_tools(controls: Controls) -> None:
    """Refuse tools where the format has no place for them.

    Raises:
        UnsupportedRequestError: there are some, and the model may use them.
    """
    forbidden = controls.tool_choice is not None and controls.tool_choice.mode == "none"
    if controls.tools and not forbidden:
        raise UnsupportedRequestError("this wire format carries no tools")
