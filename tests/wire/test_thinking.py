"""Thoughts are told from the answer while it arrives."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.wire.thinking import ThinkingSplitter, split_thinking

_texts = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</thin", "think>", "\n", "  ", "a", "é b"]),
    max_size=12,
).map("".join)


def _split(*pieces: str) -> tuple[str, str]:
    splitter = ThinkingSplitter()
    parts = [*(splitter.feed(piece) for piece in pieces), splitter.close()]
    return "".join(answer for answer, _ in parts), "".join(thought for _, thought in parts)


@given(text=_texts, cuts=st.lists(st.integers(0, 60), max_size=8))
def test_thoughts_in_pieces_are_the_thoughts_of_the_whole(text: str, cuts: list[int]) -> None:
    """Wherever a text that begins with a thought is cut, answer and thoughts are the same."""
    whole = f" <think>{text}"
    places = [0, *sorted(cuts), len(whole)]

    answer, thoughts = _split(*(whole[begin:end] for begin, end in pairwise(places)))

    assert (answer.strip(), thoughts) == split_thinking(whole)
    assert not answer[:1].isspace()


@given(text=_texts.filter(lambda text: not text.lstrip().startswith("<think>")))
def test_a_text_without_thoughts_is_unchanged(text: str) -> None:
    """Character by character, an answer that does not begin with the tag loses nothing."""
    assert _split(*text) == (text, "")


@pytest.mark.parametrize("text", ["Hello", " Hello", "<b>", "<thinking", "think>"])
def test_an_answer_is_not_delayed(text: str) -> None:
    """What cannot be a tag any more is given with the piece that shows it."""
    assert ThinkingSplitter().feed(text) == (text, "")


def test_thoughts_and_answer_are_given_as_they_come() -> None:
    """Nothing but blanks and the beginning of a tag is held back."""
    splitter = ThinkingSplitter()

    pieces = ["\n<thi", "nk>Is", " it ", "the <", "/thin", "k>\n", "It", " is.</think>"]

    assert [splitter.feed(piece) for piece in pieces] == [
        ("", ""),
        ("", "Is"),
        ("", " it"),
        ("", " the"),
        ("", ""),
        ("", ""),
        ("It", ""),
        (" is.</think>", ""),
    ]
    assert splitter.close() == ("", "")


@pytest.mark.parametrize(
    ("text", "end"), [("<thi", ("<thi", "")), (" ", (" ", "")), ("<think>a </", ("", " </"))]
)
def test_what_was_held_back_is_given_in_the_end(text: str, end: tuple[str, str]) -> None:
    """A tag that never came whole is text."""
    splitter = ThinkingSplitter()
    splitter.feed(text)

    assert splitter.close() == end
    assert splitter.close() == ("", "")


def test_many_small_pieces_are_read_in_one_pass() -> None:
    """Blanks without end, or thoughts in single characters, do not keep us busy."""
    splitter = ThinkingSplitter()
    for _ in range(300_000):
        splitter.feed(" ")
    splitter.feed("<think>")
    for _ in range(300_000):
        splitter.feed("\n")

    assert splitter.feed("a</think>b") == ("b", "a")
