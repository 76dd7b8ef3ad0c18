"""Conversations in the arrangements vendors ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from faultmaven.errors import UnsupportedRequestError
from faultmaven.models.prompt import Message, ToolCall

UNKNOWN_RESULT = "(No result of this call is known.)"
"""What stands for the result of a call that has none."""

_LABELS = {"user": "User", "assistant": "Assistant"}


def system_text(messages: Iterable[Message]) -> str:
    """Every system message in one text, for formats that have one place for it."""
    return "\n\n".join(message.text for message in messages if message.role == "system")


def dialogue(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The turns without the system's: blank ones dropped, neighbours of one role merged.

    Results of tools stay apart, in their order. So does what the assistant says behind its calls:
    their results belong in between.
    """
    turns: list[Message] = []
    for message in messages:
        if message.role == "system" or _is_blank(message):
            continue
        if turns and _belong_together(turns[-1], message):
            turns[-1] = _merged(turns[-1], message)
        else:
            turns.append(message)
    return tuple(turns)


def flatten(messages: Sequence[Message]) -> str:
    """The conversation as one prompt, for formats that know no messages.

    A single question stands alone, below the system's text if there is one. A longer
    conversation becomes paragraphs headed ``User:`` and ``Assistant:``, and ends with
    ``Assistant:``, which the model continues. Calls of tools and their results are told in words.

    Raises:
        UnsupportedRequestError: there are pictures, which one prompt cannot carry.
    """
    refuse_images(messages)
    system, turns = system_text(messages), dialogue(messages)
    if len(turns) == 1 and turns[0].role == "user":
        return "\n\n".join(filter(None, (system, turns[0].text)))
    names = tool_names(turns)
    lines = [line for turn in turns for line in _lines(turn, names)]
    return "\n\n".join((*filter(None, (system,)), *lines, f"{_LABELS['assistant']}:"))


def refuse_images(messages: Iterable[Message]) -> None:
    """Refuse pictures where the format has no place for them.

    Raises:
        UnsupportedRequestError: there are some; another provider may take them.
    """
    if any(message.images for message in messages):
        raise UnsupportedRequestError("this wire format carries no images")


def tool_names(messages: Iterable[Message]) -> Mapping[str, str]:
    """Name of the tool behind each id of a call; of two calls with one id the later."""
    return {call.id: call.name for message in messages for call in message.tool_calls}


def told_result(message: Message, names: Mapping[str, str]) -> str:
    """The result of a tool in words, for where no call of it can be pointed to."""
    name = names.get(message.tool_call_id) or "a tool"
    outcome = "Error" if message.failed else "Result"
    return f"{outcome} of {name}: {message.text.strip() or '(nothing)'}"


def _is_blank(message: Message) -> bool:
    """Whether nothing is said; a tool that gave nothing has answered all the same."""
    if message.role == "tool" or message.text.strip():
        return False
    return not (message.images or message.tool_calls or message.thoughts)


def _belong_together(first: Message, second: Message) -> bool:
    if first.role != second.role or first.role == "tool":
        return False
    return bool(second.tool_calls) or not first.tool_calls


def _merged(first: Message, second: Message) -> Message:
    return replace(
        first,
        text="\n\n".join(filter(None, (first.text, second.text))),
        images=first.images + second.images,
        tool_calls=first.tool_calls + second.tool_calls,
        thoughts=first.thoughts + second.thoughts,
    )


def _lines(turn: Message, names: Mapping[str, str]) -> list[str]:
    if turn.role == "tool":
        return [told_result(turn, names)]
    said = [f"{_LABELS[turn.role]}: {turn.text}"] if turn.text else []
    return said + [_told_call(call) for call in turn.tool_calls]


def _told_call(call: ToolCall) -> str:
    return f"{_LABELS['assistant']} asked for tool {call.name} with {call.arguments or '{}'}"
