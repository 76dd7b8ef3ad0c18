"""Text to words: what counts and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.knowledge.terms import SCAN_LIMIT, search_terms, tokens


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ("", b" "),
        ("502 Bad Gateway", b" 502 bad gateway "),
        ('connect() failed\n(111: "Refused")', b" connect failed 111 refused "),
        ("naïve\x00OOM", b" na ve oom "),
    ],
)
def test_a_stream_is_words_between_single_spaces(text: str, stream: bytes) -> None:
    """Everything but ASCII letters and digits separates words."""
    assert tokens(text).stream.strip() == stream.strip()
    assert tokens(text).words == frozenset(stream.split())


@given(st.text(st.characters(codec=None)))
def test_a_stream_has_no_other_form(text: str) -> None:
    """A stream starts and ends with a space and never has two: phrases can be compared."""
    stream = tokens(text).stream
    assert stream[:1] == b" " == stream[-1:]
    assert stream.strip() == b" ".join(stream.split())
    assert stream == stream.lower()


def test_of_a_huge_text_both_ends_are_read() -> None:
    """What is cut from more than the limit is its middle."""
    words = tokens("first " + "x " * SCAN_LIMIT + "middle " + "x " * SCAN_LIMIT + "last").words
    assert words == {b"first", b"x", b"last"}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Why does my Redis get slow?", ["redis", "slow"]),
        ("redis REDIS Redis", ["redis"]),
        ("psql cert", ["psql", "cert", "postgresql", "certificate"]),
        ("status 502 at 12:05:02.504, v1.503 on 10.0.5.500", ["status", "502", "v1"]),
        ("db:5432 is down", ["db", "5432", "down"]),
        ("x" * 41, []),
        ('"; DROP \x00 TABLE*', ["drop", "table"]),
    ],
)
def test_search_terms_are_telling_words(text: str, terms: list[str]) -> None:
    """Common words, numbers within times and addresses, and hashes are left out."""
    assert search_terms(text) == terms


@given(st.text(st.characters(codec=None)))
def test_search_terms_need_no_quoting(text: str) -> None:
    """A term has letters and digits only, so that it cannot be taken for an operator."""
    assert all(term.isalnum() for term in search_terms(text))


def test_of_a_log_both_ends_are_search_terms() -> None:
    """A question may stand before or after a pasted log."""
    assert search_terms("alpha " + "filler " * 5000 + "omega") == ["alpha", "filler", "omega"]
