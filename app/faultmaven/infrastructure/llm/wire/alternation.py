"""Conversations with tools, as vendors demand them whose turns alternate strictly.

Anthropic and Gemini refuse a conversation in which a call is not answered in the very next turn,
and Anthropic one in which two calls share an id. What callers send, and what is left of it after
it was shortened or came from another vendor, need not be so: it is arranged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from faultmaven.infrastructure.llm.wire.call_ids import usable_call_id
from faultmaven.infrastructure.llm.wire.turns import (
    UNKNOWN_RESULT,
    dialogue,
    told_result,
    tool_names,
)
from faultmaven.models.prompt import Image, Message, Thought, ToolCall

_EARLIER = "(The conversation began earlier.)"


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave for one call.

    Attributes:
        call: the call it answers.
        text: what the tool gave; may be blank.
        images: pictures it gave.
        failed: whether it failed.
    """

    call: ToolCall
    text: str
    images: tuple[Image, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side contributes before the other does.

    Attributes:
        role: whose turn it is.
        text: what is said; behind the results.
        images: pictures that belong to it.
        thoughts: what the assistant thought, first of all.
        calls: tools that the assistant wants used, with ids that every vendor takes and no other
            call has; last of all.
        results: one for each call of the turn before, in the order of the calls.
    """

    role: Literal["user", "assistant"]
    text: str = ""
    images: tuple[Image, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    results: tuple[Result, ...] = ()


def alternate(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """The turns in strict alternation, the user's first, each call answered in the next one.

    A call without a result is given one that says so. A result without a call is told in words.
    """
    turns: list[Turn] = []
    conversation = [item for item in dialogue(messages) if not _only_thought(item)]
    names, ids = tool_names(conversation), _Ids()
    for said, group in groupby(conversation, key=lambda message: message.role == "assistant"):
        if said:
            turns += _said(tuple(group), ids, first=not turns)
        else:
            answered = turns.pop() if turns and turns[-1].role == "user" else None
            calls = tuple(result.call for result in answered.results) if answered else ()
            turns.append(_heard(tuple(group), ids.originals(calls), names))
    return tuple(turns)


def tool_loop(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The assistant's turns since the user last spoke alone, if results await its next one."""
    loop: list[Turn] = []
    for earlier, later in zip(turns[-2::-2], turns[::-2], strict=False):
        if not later.results:
            break
        loop.append(earlier)
    return tuple(reversed(loop))


def _only_thought(message: Message) -> bool:
    """Whether there is nothing that every vendor could be told."""
    said = message.text.strip() or message.images or message.tool_calls
    return message.role == "assistant" and not said


class _Ids:
    """Gives every call an id of its own, and remembers which it had."""

    def __init__(self) -> None:
        self._given: dict[str, ToolCall] = {}

    def give(self, call: ToolCall) -> ToolCall:
        """The call under an id that every vendor takes and none before it has."""
        given, times = usable_call_id(call.id), 1
        while given in self._given:
            times += 1
            given = usable_call_id(f"{call.id}#{times}")
        self._given[given] = call
        return replace(call, id=given)

    def originals(self, calls: Iterable[ToolCall]) -> Sequence[tuple[str, ToolCall]]:
        """Each call behind the id that its result refers to."""
        return [(self._given[call.id].id, call) for call in calls]


def _said(group: Sequence[Message], ids: _Ids, *, first: bool) -> Iterator[Turn]:
    """The assistant's turns, each followed by what answers its calls, as far as it has any."""
    if first:
        yield Turn("user", _EARLIER)
    for message in group:
        calls = tuple(map(ids.give, message.tool_calls))
        yield Turn("assistant", message.text, message.images, message.thoughts, calls)
        if calls:
            yield Turn("user", results=tuple(Result(call, UNKNOWN_RESULT) for call in calls))


def _heard(
    group: Sequence[Message],
    calls: Sequence[tuple[str, ToolCall]],
    names: Mapping[str, str],
) -> Turn:
    """The user's turn: results for the calls, then whatever else was said."""
    rest = list(group)
    results = tuple(_result(original, call, rest) for original, call in calls)
    texts = [told_result(item, names) if item.role == "tool" else item.text for item in rest]
    images = tuple(image for item in rest for image in item.images)
    return Turn("user", "\n\n".join(filter(None, texts)), images, results=results)


def _result(original: str, call: ToolCall, rest: list[Message]) -> Result:
    """The result of ``call``, taken out of ``rest``; or that there is none."""
    for message in rest:
        if message.role == "tool" and message.tool_call_id == original:
            rest.remove(message)
            return Result(call, message.text, message.images, message.failed)
    return Result(call, UNKNOWN_RESULT)
