"""Events that repeat an earlier one are read as if each were the first."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.wire.openai_plain import plain_text
from faultmaven.infrastructure.llm.wire.openai_repeated import RepeatedEvent
from faultmaven.infrastructure.llm.wire.openai_stream import ChatReader
from faultmaven.infrastructure.llm.wire.types import WireEvent
from faultmaven.models.stream import Delta

_TEXTS = st.text(min_size=1, max_size=5) | st.sampled_from(
    ['"content":"x"', '\\"content":', '"', "\\", "one", "another", '","content":"no', "\u2028"]
)
_PLACE = '"content":"here"'
_TRAPS = st.sampled_from(["", f"{_PLACE},", '"id":"a\\"content\\":\\"b\\"",', '"id":"content",'])
_SPLICES = _TEXTS.map(lambda text: json.dumps(text).encode()) | st.sampled_from(
    [
        b'"a","content":"b"',
        b'"a"},"x":{"y":"b"',
        b"1",
        b"null",
        b"[]",
        b'"',
        b"",
        b' "a" ',
        b'"\xff"',
    ]
)


def _event(text: str, model: str = "m", **beside: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return json.dumps({"id": "c1", "model": model, "choices": [choice], **beside}).encode()


def _with_traps(traps: tuple[str, str, str], text: bytes) -> bytes:
    """An event in which more than one place looks like that of the text."""
    outer, inner, behind = traps
    delta = b'{%b"content": %b%b}' % (inner.encode(), text, behind.encode())
    return b'{%b"choices":[{"delta":%b}],"model":"m"}' % (outer.encode(), delta)


@given(
    st.tuples(_TRAPS, _TRAPS, _TRAPS.map(lambda trap: f",{trap.rstrip(',')}" if trap else "")),
    _TEXTS,
    _SPLICES,
)
def test_what_repeats_an_event_says_what_is_read_of_it(
    traps: tuple[str, str, str], text: str, splice: bytes
) -> None:
    """Whatever stands in the text's place, nothing is taken from it that it does not say."""
    learned = _with_traps(traps, json.dumps(text).encode())
    plain = plain_text(learned)
    assume(plain is not None)
    assert plain is not None
    repeated = RepeatedEvent()
    repeated.learn(learned, plain[1])

    another = _with_traps(traps, splice)
    said = repeated.text(another)

    assert not said or (said, repeated.model) == plain_text(another)


@given(st.lists(_TEXTS, min_size=1, max_size=6), st.sampled_from(["a", "b"]))
def test_a_stream_is_read_as_its_events_are(texts: list[str], model: str) -> None:
    """Each piece is the text of its event; the model is told where it changes."""
    reader = ChatReader()
    read = [delta for text in texts for delta in reader.read(WireEvent(_event(text)))]
    last = reader.read(WireEvent(_event(texts[0], model)))

    assert read == [Delta(text, model="" if place else "m") for place, text in enumerate(texts)]
    assert list(last) == [Delta(texts[0], model=model)]


def test_an_ordinary_event_is_learned() -> None:
    """The next event of a stream is read by its text alone."""
    repeated = RepeatedEvent()
    repeated.learn(_event("one"), "m")

    assert repeated.text(_event(" pod é")) == " pod é"
    assert repeated.text(_event(" pod", "other")) == ""
    assert repeated.text(b"{}") == ""


@pytest.mark.parametrize("text", ["x", "\n"])
def test_a_giant_is_not_learned(text: str) -> None:
    """A text of megabytes costs no second look, and no memory beyond its own."""
    giant, repeated = _event(text * 1_000_000), RepeatedEvent()
    tracemalloc.start()
    repeated.learn(giant, "m")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 100_000
    assert repeated.text(giant) == ""


@pytest.mark.parametrize("text", ["x" * 10_000, "\n" * 5_000])
def test_a_text_is_passed_over_without_a_way_back(text: str) -> None:
    """Finding where a text ends remembers nothing of each of its characters."""
    event, repeated = _event(text), RepeatedEvent()
    tracemalloc.start()
    repeated.learn(event, "m")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert repeated.text(event) == text
    assert most < 50_000


@pytest.mark.parametrize("hits", [0, 1])
def test_what_never_repeats_is_given_up(hits: int) -> None:
    """Where each event is another one, learning ends; one that was repeated gives it new hope."""
    repeated = RepeatedEvent()
    for number in range(4):
        repeated.learn(_event("x", padding=number), "m")
    for _ in range(hits):
        assert repeated.text(_event("y", padding=3)) == "y"
    repeated.learn(_event("x", padding=4), "m")

    assert bool(repeated.text(_event("z", padding=4))) == bool(hits)
