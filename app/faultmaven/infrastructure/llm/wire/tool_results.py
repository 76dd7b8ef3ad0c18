"""Conversations with tools, as chat completions demand them.

OpenAI's format refuses a call without a result right behind it, and a result without a call:
https://platform.openai.com/docs/guides/function-calling. What callers send, and what is left of
it after it was shortened or was another vendor's, need not be so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from faultmaven.infrastructure.llm.wire.turns import (
    UNKNOWN_RESULT,
    dialogue,
    told_result,
    tool_names,
)
from faultmaven.models.prompt import Message, ToolCall


def answered(messages: Sequence[Message]) -> Sequence[Message]:
    """The conversation with each call's result right behind it; as it is where it is so already.

    A call without a result is given one that says so. A result without a call is told in words.
    """
    whole = not has_tools(messages) or _is_in_order(messages)
    return messages if whole else tuple(_arranged(messages))


def has_tools(messages: Sequence[Message]) -> bool:
    """Whether a tool is called anywhere, or gives its result."""
    for message in messages:  # noqa: SIM110 - `any` of a generator makes a call for each turn
        if message.tool_calls or message.role == "tool":
            return True
    return False


def _is_in_order(messages: Sequence[Message]) -> bool:
    waiting: Counter[str] = Counter()
    for message in messages:
        if message.role == "tool":
            if not waiting[message.tool_call_id]:
                return False
            waiting[message.tool_call_id] -= 1
        elif waiting.total():
            return False
        else:
            waiting = Counter(call.id for call in message.tool_calls)
    return not waiting.total()


def _arranged(messages: Sequence[Message]) -> Iterator[Message]:
    names = tool_names(messages)
    groups = [(said, list(group)) for said, group in groupby(messages, key=_is_said)]
    following = [group for _, group in groups[1:]]
    for (said, group), heard in zip(groups, [*following, []], strict=True):
        if said:
            yield from _said(group, heard)
        else:
            yield from (_in_words(message, names) for message in group)


def _is_said(message: Message) -> bool:
    return message.role == "assistant"


def _said(group: Sequence[Message], following: list[Message]) -> Iterator[Message]:
    """What the assistant says, its calls with their results, taken out of ``following``."""
    called = any(message.tool_calls for message in group)
    for message in dialogue(group) if called else group:
        yield message
        yield from [_result(call, following) for call in message.tool_calls]


def _result(call: ToolCall, following: list[Message]) -> Message:
    for place, message in enumerate(following):
        if message.role == "tool" and message.tool_call_id == call.id:
            return following.pop(place)
    return Message("tool", UNKNOWN_RESULT, tool_call_id=call.id)


def _in_words(message: Message, names: Mapping[str, str]) -> Message:
    if message.role != "tool":
        return message
    return Message("user", told_result(message, names), images=message.images)
