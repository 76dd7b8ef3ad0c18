"""Markdown becomes styles, however it is cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from faultmaven.cli.pen import MarkdownPen


def drawn(pieces: list[str]) -> list[tuple[str, str]]:
    """Each character that is shown, with its style."""
    pen = MarkdownPen()
    fragments = [fragment for piece in pieces for fragment in pen.write(piece)]
    *more, line_end = pen.end()
    assert line_end == ("\n", "")
    fragments += more
    return [(character, style) for text, style in fragments for character in text]


def styles(text: str) -> dict[str, str]:
    """Each word that is shown, with the style of its first letter."""
    shown = drawn([text])
    words = "".join(character for character, _ in shown)
    return {word: shown[words.index(word)][1] for word in words.split()}


def test_marks_become_styles() -> None:
    """Headings and emphasis are bold, what is grave red, code has a colour; marks are not shown."""
    found = styles("## Cause\nplain **strong** and **high** or `code`\n")
    assert found == {
        "Cause": "bold",
        "plain": "",
        "strong": "bold",
        "and": "",
        "high": "bold red",
        "or": "",
        "code": "cyan",
    }


def test_what_is_no_mark_is_shown() -> None:
    """Stars and hashes of commands and prose stay as they are."""
    text = "#!/bin/sh a*b 2 ** 3 #5\n* item\n"
    assert "".join(character for character, _ in drawn([text])) == text
    code = "".join(character for character, _ in drawn(["`ls **/*.log`"]))
    assert code == "ls **/*.log"


def test_fenced_code_is_left_alone() -> None:
    """Comments there are no headings, and nothing is emphasis."""
    shown = "".join(character for character, _ in drawn(["```sh\n# no **heading**\n```\n"]))
    assert shown == "```sh\n# no **heading**\n```\n"


def test_what_follows_the_mark_of_a_heading_may_be_cut() -> None:
    """Ticks after it are looked at once all of them are there."""
    assert drawn(["## `", "``"]) == drawn(["## ```"]) == [("`", "dim")] * 3


@given(
    st.lists(st.sampled_from(["#", " ", "*", "**", "`", "```", "\n", "a", "high", "## "])).map(
        "".join
    ),
    st.lists(st.integers(min_value=0, max_value=80)),
)
def test_cuts_make_no_difference(text: str, places: list[int]) -> None:
    """Whatever the pieces, each character has the same style, and none is lost but marks."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    pieces = [text[start:end] for start, end in pairwise(bounds)]
    assert drawn(pieces) == drawn([text])
    shown = "".join(character for character, _ in drawn([text]))
    for mark in "#*` ":
        shown, text = shown.replace(mark, ""), text.replace(mark, "")
    assert shown == text
