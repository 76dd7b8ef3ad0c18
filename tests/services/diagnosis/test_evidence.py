"""A quote is evidence only where it stands in what the caller sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.models.api import Evidence
from faultmaven.models.credentials import mask_credentials
from faultmaven.services.diagnosis import Source, Sources

_LOG = "start\nLast State:  Terminated\n\tReason:    OOMKilled\r\n  Exit Code: 137\nend"
_SOURCES = Sources(
    (
        Source("query", "Why does it die?\nSee: Exit Code: 1"),
        Source("attachment:a.log", _LOG),
        Source("context", '{"env": "prod"}', has_lines=False),
    ),
    mask=mask_credentials,
)


def _one(quote: str, sources: Sources = _SOURCES) -> Evidence:
    (found,) = sources.verify([quote])
    return found


@pytest.mark.parametrize(
    ("quote", "source", "line"),
    [
        ("Reason:    OOMKilled", "attachment:a.log", 3),
        ("Reason: OOMKilled", "attachment:a.log", 3),
        ("  reason:  oomkilled ", "attachment:a.log", 3),
        ("`Exit Code: 137`", "attachment:a.log", 4),
        ('"Exit Code: 137."', "attachment:a.log", 4),
        ("Exit Code: 1", "query", 2),
        ("Terminated Reason: OOMKilled", "attachment:a.log", 2),
        ("Terminated\n  Reason: OOMKilled", "attachment:a.log", 2),
        ("Last State ... OOMKilled", "attachment:a.log", 2),
        ("Terminated\u2026Exit Code: 137", "attachment:a.log", 2),
        ("start", "attachment:a.log", 1),
        ('"env": "prod"', "context", None),
    ],
)
def test_quote_is_found_with_its_source_and_line(quote: str, source: str, line: int | None) -> None:
    """White space, case, wrapping quotes and an ellipsis do not hide where the words stand."""
    found = _one(quote)

    assert (found.verified, found.source, found.line) == (True, source, line)


@pytest.mark.parametrize(
    "quote",
    [
        "Exit Code: 138",
        "OOMKilled Reason",
        "137 ... Terminated",
        "Last State ... never said",
        "Exit",
        "...",
        "out of memory",
    ],
)
def test_what_was_not_sent_is_not_verified(quote: str) -> None:
    """A changed digit, a changed order or an invention has no source and no line."""
    found = _one(quote if quote != "Exit" else "Exi")

    assert (found.verified, found.source, found.line) == (False, None, None)


def test_quotes_are_told_once_and_empty_ones_not_at_all() -> None:
    """Repeated and blank quotes do not fill the list, which has an end."""
    found = _SOURCES.verify(["start", " start ", "", "``", *(f"word {i}" for i in range(40))])

    assert found[0].quote == "start"
    assert len(found) == 20


def test_masked_words_count_as_the_callers() -> None:
    """A provider that saw a placeholder quotes the placeholder."""
    sources = Sources(
        (Source("query", "line 1\npassword=hunter22 refused by db"),), mask=mask_credentials
    )

    found = _one("password=[secret_value removed] refused by db", sources)

    assert (found.verified, found.source, found.line) == (True, "query", 2)


def test_no_line_is_told_where_masking_moved_the_lines() -> None:
    """A key of several lines became one: a line number would be wrong."""
    key = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"
    sources = Sources((Source("query", f"{key}\nthe key is refused"),), mask=mask_credentials)

    found = _one("[private_key removed] the key is refused", sources)

    assert (found.verified, found.line) == (True, None)


def test_masking_happens_only_where_a_quote_may_hold_a_placeholder() -> None:
    """A quote that stands there, or has no part of a placeholder, costs no masking of it all."""
    calls: list[str] = []

    def mask(text: str) -> str:
        calls.append(text)
        return text

    sources = Sources((Source("query", "it is here"),), mask=mask)

    assert _one("it is here", sources).verified
    assert calls == []
    assert not _one("not here", sources).verified
    assert calls == []
    assert not _one("[not] here", sources).verified
    assert calls == ["it is here"]


_WORDS = st.lists(
    st.text(alphabet="abcXYZ019:/.-=\u00e9\u4e16", min_size=2, max_size=8), min_size=1, max_size=30
)


@settings(max_examples=80, deadline=None)
@given(_WORDS, st.data())
def test_any_words_of_the_input_are_verified_on_their_line(
    words: list[str], data: st.DataObject
) -> None:
    """Consecutive words, however the white space between them changed, are found."""
    gaps = data.draw(
        st.lists(
            st.sampled_from([" ", "  ", "\n", "\t", "\r\n", " \n "]),
            min_size=len(words),
            max_size=len(words),
        )
    )
    text = "".join(f"{word}{gap}" for word, gap in zip(words, gaps, strict=True))
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    quote = " ".join(words[first : last + 1]).strip("\"'` ")
    found = Sources((Source("query", text),), mask=mask_credentials).verify([quote])

    if len(quote) >= 4:
        assert found[0].verified
        assert found[0].line is not None
        beginning = "\n".join(text.split("\n")[found[0].line - 1 :]).lower()
        assert words[first].lower() in " ".join(beginning.split())


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=6))
def test_verified_means_that_it_stands_there(text: str, quotes: list[str]) -> None:
    """Whatever is marked verified can be found in the input by folding white space and case."""
    folded = " ".join(text.split()).lower()

    for found in Sources((Source("query", text),), mask=str).verify(quotes):
        if found.verified and "..." not in found.quote and "\u2026" not in found.quote:
            assert found.quote.lower() in folded
        assert found.verified == (found.source is not None)


def test_a_megabyte_is_searched_for_many_quotes() -> None:
    """Twenty quotes that are not there do not make a large log slow."""
    text = "a b " * 250_000
    sources = Sources((Source("query", text),), mask=str)

    found = sources.verify(f"{'a b ' * 100}{number}" for number in range(20))

    assert not any(item.verified for item in found)


@pytest.mark.parametrize("filler", ["a b  c\n", "\u0130 \u00c4b\n", "word " * 30_000])
def test_a_quote_in_another_case_is_found_far_into_a_long_text(filler: str) -> None:
    """Its line is told right, wherever the text is parted, and whatever its letters become."""
    text = f"{filler * (200_000 // len(filler))}\nthe Quota is Reached\n"
    sources = Sources((Source("query", text),), mask=str)

    assert _one("the quota is reached", sources).line == text.count("\n")
    assert _one("The Quota ... reached", sources).line == text.count("\n")
