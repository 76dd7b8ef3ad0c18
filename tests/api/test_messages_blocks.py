"""Whole blocks, however the pieces of an answer come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.playing import ANSWER, assembled, events
from faultmaven.api.anthropic import events as templates
from faultmaven.api.anthropic.stream import AnswerEvents
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Thought, ToolCall
from faultmaven.models.stream import Beginning, Delta, ToolCallPiece

OBJECTS = st.dictionaries(st.text(max_size=4), st.text(max_size=9), max_size=3)
TEXTS = st.text(min_size=1, max_size=9)


def streamed(
    *deltas: Delta, answer: LLMResponse = ANSWER, shows_thoughts: bool = True
) -> list[dict[str, Any]]:
    """Write pieces as a stream and read its events."""
    written = AnswerEvents("msg_1", shows_thoughts=shows_thoughts)
    begun = written.begin(Beginning(answer.provider, answer.model)) if deltas else b""
    told = b"".join(map(written.delta, deltas))
    return events(begun + told + written.end(answer))


def blocks_of(*deltas: Delta, **options: Any) -> list[dict[str, Any]]:
    """Put together what a stream of these pieces says."""
    return assembled(streamed(*deltas, **options))


def part(index: int, arguments: str, *, first: bool = False) -> Delta:
    """Make a part of a call."""
    named = {"id": f"call_{index}", "name": "df"} if first else {}
    return Delta(tool_calls=(ToolCallPiece(index, arguments=arguments, **named),))


def text(said: str) -> dict[str, Any]:
    """Describe a block of text."""
    return {"type": "text", "text": said}


def call(index: int, given: dict[str, Any]) -> dict[str, Any]:
    """Describe a call."""
    return {"type": "tool_use", "id": f"call_{index}", "name": "df", "input": given}


def thinking(thought: str, signature: str) -> dict[str, Any]:
    """Describe thoughts."""
    return {"type": "thinking", "thinking": thought, "signature": signature}


def cut(whole: str, places: Sequence[int]) -> list[str]:
    """Cut a text at these places."""
    marks = sorted({place % (len(whole) + 1) for place in places} | {0, len(whole)})
    return [whole[a:b] for a, b in pairwise(marks)] or [""]


@st.composite
def interleaved_calls(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[Delta]]:
    """Draw calls whose parts come in any order between each other, with text among them."""
    given_to = draw(st.lists(OBJECTS, min_size=1, max_size=4))
    queues = []
    for index, arguments in enumerate(given_to):
        pieces = cut(json.dumps(arguments), draw(st.lists(st.integers(0, 99), max_size=4)))
        queues.append([part(index, text, first=not n) for n, text in enumerate(pieces)])
    queues.append([Delta(text=said) for said in draw(st.lists(TEXTS, max_size=3))])
    deltas = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        deltas.append(queue.pop(0))
    return given_to, deltas


@given(interleaved_calls())
def test_calls_come_out_whole_however_they_interleave(
    drawn: tuple[list[dict[str, str]], list[Delta]],
) -> None:
    """No part is lost or lands in another call's block, no text changes its order."""
    calls, deltas = drawn
    blocks = blocks_of(*deltas)
    found = {block["id"]: block["input"] for block in blocks if block["type"] == "tool_use"}
    assert found == {f"call_{index}": given for index, given in enumerate(calls)}
    said = "".join(block["text"] for block in blocks if block["type"] == "text")
    assert said == "".join(delta.text for delta in deltas)


@given(st.lists(st.tuples(st.booleans(), TEXTS), min_size=1))
def test_thoughts_and_words_alternate_as_they_came(told: list[tuple[bool, str]]) -> None:
    """A new block begins where the kind changes; thoughts nobody signed bear our mark."""
    deltas = [Delta(reasoning=said) if aloud else Delta(text=said) for aloud, said in told]
    expected = [
        thinking(said, "faultmaven:one") if aloud else text(said)
        for aloud, group in groupby(told, key=lambda item: item[0])
        for said in ["".join(said for _, said in group)]
    ]
    assert blocks_of(*deltas) == expected


def test_calls_one_after_the_other_are_told_live() -> None:
    """The next call does not wait for the end of the answer once the one before is whole."""
    written = AnswerEvents("msg_1", shows_thoughts=False)
    written.begin(Beginning("one", "model-1"))
    told = [part(0, '{"a":', first=True), part(0, "1}"), part(1, '{"b":', first=True)]
    assert all(map(written.delta, told))
    assert written.delta(part(2, "{}", first=True)) == b""
    assert b'"index":2' in written.delta(part(1, "2}"))


def test_a_call_may_have_no_arguments() -> None:
    """Nothing was written: that is an empty object, whatever follows it."""
    blocks = blocks_of(part(0, "", first=True), part(1, '{"a": "b"}', first=True))
    assert blocks == [call(0, {}), call(1, {"a": "b"})]


def test_blanks_after_a_whole_call_are_nothing() -> None:
    """They belong to a block that is closed."""
    parts = (part(0, "{}", first=True), part(1, "{}", first=True), part(0, "\n"))
    assert blocks_of(*parts) == [call(0, {}), call(1, {})]


def test_signed_thoughts_keep_their_proof() -> None:
    """The text came before, the signature closes the block; hidden ones are a block at once."""
    blocks = blocks_of(
        Delta(reasoning="H"),
        Delta(reasoning="m."),
        Delta(thought=Thought("Hm.", "sig")),
        Delta(thought=Thought(hidden="xyz")),
        Delta(thought=Thought("", "sig2")),
        Delta(text="Hi"),
    )
    assert blocks == [
        thinking("Hm.", "sig"),
        {"type": "redacted_thinking", "data": "xyz"},
        thinking("", "sig2"),
        text("Hi"),
    ]


def test_only_signed_thoughts_reach_who_did_not_ask() -> None:
    """They have to come back for the vendor's sake; the others are nobody's business."""
    deltas = (Delta(reasoning="Hm."), Delta(thought=Thought("Hm.", "sig")), Delta(text="Hi"))
    assert blocks_of(*deltas, shows_thoughts=False) == [thinking("Hm.", "sig"), text("Hi")]
    assert blocks_of(Delta(reasoning="Hm."), Delta(text="Hi"), shows_thoughts=False) == [text("Hi")]


def test_an_answer_that_came_at_once_is_told_too() -> None:
    """Some providers cannot stream: then everything is told at the end."""
    answer = replace(
        ANSWER,
        reasoning="Hm.",
        tool_calls=(ToolCall("call_0", "df", '{"a": 1}'), ToolCall("call_1", "df", "")),
    )
    told = [text(ANSWER.content), call(0, {"a": 1}), call(1, {})]
    assert blocks_of(answer=answer, shows_thoughts=False) == told
    assert blocks_of(answer=answer) == [thinking("Hm.", "faultmaven:one"), *told]
    signed = replace(answer, thoughts=(Thought("Hm.", "sig"),))
    assert blocks_of(answer=signed) == [thinking("Hm.", "sig"), *told]


def test_the_frame_of_a_stream() -> None:
    """Begin, ping, blocks, reason and usage, end; nothing but that."""
    read = streamed(Delta(text="The disk"), Delta(text=" is full."))
    assert [event["type"] for event in read] == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    start, end = read[0]["message"], read[-2]
    assert (start["id"], start["model"], start["content"]) == ("msg_1", "model-1", [])
    assert start["usage"]["input_tokens"] == 0
    assert end["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert end["usage"] == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 2,
        "output_tokens": 5,
    }


def test_no_line_break_of_any_script_cuts_an_event() -> None:
    """Readers differ in what they take for a line's end; half characters pass too."""
    said = "a\r\nb\u2028c\u2029d\x85e\ud83d"
    assert blocks_of(Delta(text=said)) == [text(said)]
    written = AnswerEvents("msg_1", shows_thoughts=False).end(replace(ANSWER, content=said))
    assert written.decode().splitlines() == written.decode().split("\n")[:-1]


@given(st.text(min_size=1))
def test_any_text_is_one_line_of_ascii(text: str) -> None:
    """However a piece is written, every reader finds one line of data in it, and the text."""
    written = templates.piece(templates.TEXT, 0, text)

    assert written.isascii()
    name, data, blank = written.decode().splitlines()
    assert (name, blank) == ("event: content_block_delta", "")
    assert json.loads(data.removeprefix("data: "))["delta"]["text"] == text
