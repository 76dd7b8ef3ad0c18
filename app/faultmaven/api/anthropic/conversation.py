"""From Anthropic's turns to ours (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from faultmaven.api.anthropic.blocks import Block, Turn
from faultmaven.models.prompt import Image, Message, Thought, ToolCall


def conversation(system: Sequence[Block], turns: Iterable[Turn]) -> tuple[Message, ...]:
    """The whole conversation, the system prompt first if there is one."""
    prompt = _joined(system) if system else ""
    first = (Message("system", prompt),) if prompt else ()
    return (*first, *chain.from_iterable(map(_messages, turns)))


def _messages(turn: Turn) -> Iterator[Message]:
    if turn.role == "assistant":
        yield _assistant(turn.content)
        return
    rest = []
    for block in turn.content:
        if block.type == "tool_result":
            yield _result(block)
        else:
            rest.append(block)
    if rest:
        yield Message(turn.role, _joined(rest), images=_images(rest))


def _result(block: Block) -> Message:
    """What one tool gave: a turn of its own with us, a part of the user's with Anthropic."""
    content = block.content or ()
    return Message(
        "tool",
        _joined(content),
        images=_images(content),
        tool_call_id=block.tool_use_id or "",
        failed=bool(block.is_error),
    )


def _assistant(content: Sequence[Block]) -> Message:
    return Message(
        "assistant",
        "".join(block.text or "" for block in content if block.type == "text"),
        tool_calls=tuple(_call(block) for block in content if block.type == "tool_use"),
        thoughts=tuple(_thought(block) for block in content if "thinking" in block.type),
    )


def _call(block: Block) -> ToolCall:
    return ToolCall(block.id or "", block.name or "", block.input or "{}")


def _thought(block: Block) -> Thought:
    return Thought(block.thinking or "", block.signature or "", block.data or "")


def _joined(blocks: Iterable[Block]) -> str:
    """The texts as paragraphs: blocks of one message are often documents of their own."""
    return "\n\n".join([block.text for block in blocks if block.text])


def _images(blocks: Iterable[Block]) -> tuple[Image, ...]:
    sources = [block.source for block in blocks if block.source]
    return tuple([Image(source.media_type, source.data, source.url) for source in sources])
