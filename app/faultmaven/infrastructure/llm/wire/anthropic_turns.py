"""Conversations as Anthropic wants them: blocks of content in strictly alternating turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire.alternation import Result, Turn, tool_loop
from faultmaven.infrastructure.llm.wire.function_tools import arguments_object
from faultmaven.models.prompt import Image, Thought, ToolCall

_Block = dict[str, Any]

_OURS = "faultmaven:"  # signatures this service made up for thoughts that no vendor signed
_SILENT_FAILURE = "(The tool failed and said nothing.)"  # a failed result may not be empty
_LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")


def write_turns(turns: Sequence[Turn], *, thinking: bool) -> list[_Block]:
    """The turns as ``messages``.

    Args:
        turns: in strict alternation.
        thinking: whether the request turns thinking on: then signed thoughts go back wherever
            they are, else only where a tool is still being used.

    Raises:
        UnsupportedRequestError: the assistant shows a picture.
    """
    loop = tool_loop(turns)
    written = [_turn(turn, with_thoughts=thinking or turn in loop) for turn in turns]
    if turns and turns[-1].role == "assistant":
        # The answer continues what stands last, which is refused with blanks behind it.
        written[-1]["content"] = turns[-1].text.rstrip()
    return written


def signed(thoughts: Sequence[Thought]) -> list[Thought]:
    """Those that Anthropic itself signed or encrypted."""
    return [item for item in thoughts if item.hidden or _is_signed(item.signature)]


def _is_signed(signature: str) -> bool:
    return bool(signature) and not signature.startswith(_OURS)


def _turn(turn: Turn, *, with_thoughts: bool) -> _Block:
    if turn.role == "user":
        blocks = [*map(_result, turn.results), *map(_image, turn.images), *_text(turn.text)]
    else:
        if turn.images:
            raise UnsupportedRequestError("Anthropic takes no pictures from the assistant")
        thoughts = signed(turn.thoughts) if with_thoughts else []
        blocks = [*map(_thought, thoughts), *_text(turn.text), *map(_call, turn.calls)]
    plain = len(blocks) == 1 and blocks[0]["type"] == "text"
    return {"role": turn.role, "content": turn.text if plain else blocks}


def _text(text: str) -> list[_Block]:
    return [{"type": "text", "text": text}] if text.strip() else []


def _image(image: Image) -> _Block:
    if image.url:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    source = {"type": "base64", "media_type": image.media_type, "data": image.data}
    return {"type": "image", "source": source}


def _thought(thought: Thought) -> _Block:
    if thought.hidden:
        return {"type": "redacted_thinking", "data": thought.hidden}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def _call(call: ToolCall) -> _Block:
    return {
        "type": "tool_use",
        "id": call.id,
        "name": usable_name(call.name),
        "input": arguments_object(call.arguments),
    }


def usable_name(name: str) -> str:
    """A name of the past as Anthropic takes it: other vendors, and models, invent other ones."""
    return _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME] or "unnamed"


def _result(result: Result) -> _Block:
    block: _Block = {"type": "tool_result", "tool_use_id": result.call.id}
    text = result.text or (_SILENT_FAILURE if result.failed and not result.images else "")
    content: str | list[_Block] = text
    if result.images:
        content = [*_text(text), *map(_image, result.images)]
    if content and not (isinstance(content, str) and content.isspace()):
        block["content"] = content
    return block | ({"is_error": True} if result.failed else {})
