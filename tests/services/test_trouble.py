"""Lines worth quoting are found among all others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.services.trouble import announces_trouble, telling_lines

_POD = """\
NAME READY STATUS
payments-api-7d9c 0/1 CrashLoopBackOff
Last State:  Terminated
  Reason:    OOMKilled
  Exit Code: 137
  memory:  256Mi
a quiet line
another quiet line
  JAVA_TOOL_OPTIONS:  -Xmx512m
"""


def test_trouble_comes_first_then_settings_in_the_order_of_the_text() -> None:
    """Four lines of a pod's description are the four that tell the story."""
    assert telling_lines([_POD], limit=5) == [
        "payments-api-7d9c 0/1 CrashLoopBackOff",
        "Reason:    OOMKilled",
        "Exit Code: 137",
        "memory:  256Mi",
        "JAVA_TOOL_OPTIONS:  -Xmx512m",
    ]


def test_lines_that_differ_in_numbers_only_are_told_once() -> None:
    """The first of many alike stands for all."""
    text = "\n".join(f"10:0{i} FATAL sorry, too many clients [{i}]" for i in range(9))

    assert telling_lines([text, "max_connections = 100"], limit=5) == [
        "10:00 FATAL sorry, too many clients [0]",
        "max_connections = 100",
    ]


def test_plain_lines_are_told_only_where_little_else_is() -> None:
    """Headings and chatter do not stand beside lines that tell; alone they are better than none."""
    assert telling_lines(["Limits:\nall is calm\nmore calm"], limit=9) == [
        "Limits:",
        "all is calm",
        "more calm",
    ]
    assert telling_lines(["Limits:\na = 1\nb = x2\nfatal\nall is calm"], limit=9) == [
        "a = 1",
        "b = x2",
        "fatal",
    ]


@pytest.mark.parametrize(
    ("text", "announces"),
    [
        (_POD, True),
        ("It answers 502, error.log is empty", True),
        ("max_connections = 100", True),
        ("The app is slow sometimes. What is wrong?", False),
        ("", False),
    ],
)
def test_signs_of_a_fault_are_words_and_settings(text: str, *, announces: bool) -> None:
    """A bare complaint announces nothing that a diagnosis could rest on."""
    assert announces_trouble(text) is announces


def test_long_line_is_cut_to_the_part_that_tells() -> None:
    """The words around the trouble remain, in at most a hundred characters."""
    line = f"{'prefix ' * 30}connect() failed (111: Connection refused) {'suffix ' * 30}"

    (told,) = telling_lines([line], limit=5)

    assert "connect() failed (111: Connection refused)" in told
    assert len(told) <= 100
    assert told in line


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=6), st.integers(1, 12))
def test_what_is_told_stands_in_the_text(texts: list[str], limit: int) -> None:
    """Each telling line is a part of one text's line, and there are no more than asked."""
    told = telling_lines(texts, limit=limit)

    assert len(told) <= limit
    assert all(line and any(line in text for text in texts) for line in told)


def test_bounds_go_before_other_settings() -> None:
    """The limit that was run into is worth more than the time it happened."""
    text = "Reason: OOMKilled\nStarted: 14:02:11\nPriority: 7\nmemory: 256Mi\nopts: -Xmx512m"

    assert telling_lines([text], limit=3) == [
        "Reason: OOMKilled",
        "memory: 256Mi",
        "opts: -Xmx512m",
    ]


@pytest.mark.parametrize("unit", ["=", ": ", "limit", "max mem pool ", "a", "=limit", "error"])
def test_one_endless_line_is_looked_at_once(unit: str) -> None:
    """A megabyte without a digit or a line break costs one pass; it used to cost hours."""
    text = unit * (1_000_000 // len(unit))

    announces_trouble(text)
    assert len(telling_lines([text], limit=3)) <= 3
