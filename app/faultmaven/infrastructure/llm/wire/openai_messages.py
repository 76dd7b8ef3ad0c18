"""A conversation as chat completions write it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from faultmaven.infrastructure.llm.wire.call_ids import usable_call_id
from faultmaven.infrastructure.llm.wire.tool_results import answered, has_tools
from faultmaven.models.prompt import Image, Message, ToolCall

Fields = dict[str, Any]

_PICTURES = "Pictures that the tools returned:"
_FAILED = "The tool failed"


def written_messages(messages: Sequence[Message]) -> list[Fields]:
    """Every turn, in order; thoughts and signatures are for the vendor that made them.

    A result of a tool takes text alone here, and nothing may stand between the results of one
    turn: their pictures follow them, as said by the user. Where a call lacks its result, or a
    result its call, the format's vendors refuse all of it: that is put right.
    """
    if not has_tools(messages):
        return [_message(message) for message in messages]
    return [
        turn
        for by_tools, group in groupby(answered(messages), key=lambda turn: turn.role == "tool")
        for turn in (_results(group) if by_tools else map(_message, group))
    ]


def _message(message: Message) -> Fields:
    if not (message.images or message.tool_calls or message.name):
        return {"role": message.role, "content": message.text}
    content = _parts(message.text, message.images) if message.images else message.text
    name = {"name": message.name} if message.name else {}
    if not message.tool_calls:
        return {"role": message.role, "content": content, **name}
    calls = [_call(call) for call in message.tool_calls]
    return {"role": message.role, "content": content or None, "tool_calls": calls, **name}


def _results(messages: Iterable[Message]) -> Iterator[Fields]:
    images: list[Image] = []
    for message in messages:
        images += message.images
        call_id = usable_call_id(message.tool_call_id)
        yield {"role": "tool", "tool_call_id": call_id, "content": _result(message)}
    if images:
        yield {"role": "user", "content": _parts(_PICTURES, images)}


def _result(message: Message) -> str:
    """The text; the format has no other place for a failure."""
    return f"{_FAILED}: {message.text}".removesuffix(": ") if message.failed else message.text


def _call(call: ToolCall) -> Fields:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": usable_call_id(call.id), "type": "function", "function": function}


def _parts(text: str, images: Iterable[Image]) -> list[Fields]:
    said = [{"type": "text", "text": text}] if text else []
    return said + [{"type": "image_url", "image_url": _image(image)} for image in images]


def _image(image: Image) -> Fields:
    url = f"data:{image.media_type};base64,{image.data}" if image.data else image.url
    return {"url": url, "detail": image.detail} if image.detail else {"url": url}
