"""Of a text that is too long, what tells most is shown, and its lines keep their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.models.credentials import mask_credentials
from faultmaven.services.condensing import Condenser, size_of

_GAP = re.compile(r"\[\.\.\. (.+) left out \.\.\.\]")
_LAST_LEFT_OUT = re.compile(r"(?:lines? (?:\d+-)?(\d+))$")
_LOG = [
    f"2026-11-23T03:{i // 60:02d}:{i % 60:02d} INFO request {i} took {i * 7} ms"
    for i in range(3000)
]
_TRACE = [
    "2026-11-23T03:58:00 ERROR job 17 failed",
    "java.lang.OutOfMemoryError: Java heap space",
    "\tat com.acme.Store.read(Store.java:41)",
    "Caused by: java.io.IOException: Disk quota exceeded",
]


def _fitted(text: str, limit: int) -> str:
    return Condenser(mask_credentials).fitted(text, limit)


def _numbered(shown: str) -> Iterator[tuple[int, str]]:
    """The whole lines that are shown, with the numbers that the notes give them."""
    number: int | None = 1
    for line in shown.split("\n"):
        gap = _GAP.fullmatch(line)
        if gap:
            last = _LAST_LEFT_OUT.search(gap[1])
            number = int(last[1]) + 1 if last else None
        elif not line.startswith("[... ") and number is not None:
            yield number, line
            number += 1


def test_what_fits_is_left_alone() -> None:
    """Not one character of it is touched, and nothing is looked through."""
    text = "\n".join(_LOG)

    assert _fitted(text, len(text)) is text


def test_a_failure_in_the_middle_is_shown_with_its_trace_and_its_numbers() -> None:
    """One trace among thousands of lines is whole, on its own lines, between counted gaps."""
    lines = [*_LOG[:1200], *_TRACE, *_LOG[1200:]]
    shown = _fitted("\n".join(lines), 3000)

    assert "\n".join(_TRACE) in shown
    found = dict(_numbered(shown))
    assert [found[1201 + n] for n in range(4)] == _TRACE
    assert found[1] == lines[0]
    assert found[len(lines)] == lines[-1]


def test_repetition_is_told_with_its_count_its_times_and_its_last_line() -> None:
    """Thousands of alike errors are one line and one note."""
    errors = [f"2026-11-23T04:00:{i % 60:02d} ERROR timeout to 10.0.0.{i % 9}" for i in range(4812)]
    shown = _fitted("\n".join([*_LOG, *errors, "2026-11-23T05:00:00 ERROR expired"]), 2000)

    assert (
        "[... repeated 4812 times between 2026-11-23T04:00:00 and 04:00:11, numbers aside; "
        "last in line 7812 ...]" in shown
    )
    assert "ERROR expired" in shown


def test_the_heading_tells_lines_time_and_trouble() -> None:
    """What a reader has to know of the whole stands above the parts."""
    heading = _fitted("\n".join([*_LOG, *_TRACE]), 2000).split("\n")[0]

    assert "3004 lines (2026-11-23T03:00:00 to 03:58:00)" in heading
    assert "1 speak of trouble" in heading


def test_lines_of_one_kind_but_for_names_leave_room_for_others() -> None:
    """Thousands of users are a family: a rare line comes before the second of them."""
    users = [
        f"user {chr(103 + i % 20)}{chr(103 + i // 20 % 20)}{chr(103 + i // 400)}z is in"
        for i in range(4000)
    ]
    users[2000] = "quietly switched the leader to node-b"

    assert users[2000] in _fitted("\n".join(users), 3000)


def test_statuses_and_codes_are_told_apart() -> None:
    """A number that says what failed is not like any other number."""
    lines = [f'10.0.0.1 "GET /a{i} HTTP/1.1" 200 {i}' for i in range(3000)]
    lines[700] = '10.0.0.1 "GET /a700 HTTP/1.1" 503 11'
    lines[900] = "worker left with exit code 137"
    lines[901] = "worker left with exit code 1"
    shown = _fitted("\n".join(lines), 2000)

    for number in (700, 900, 901):
        assert lines[number] in shown


def test_words_that_pass_for_hexadecimal_numbers_are_words() -> None:
    """That a node is dead is not the same as that one was added."""
    lines = [f"node {i:x} was added" for i in range(3000)]
    lines[1500] = "node 5dc was dead"

    assert lines[1500] in _fitted("\n".join(lines), 2000)


@pytest.mark.parametrize("limit", [0, 90, 700, 3000, 9000])
def test_no_cut_leaves_half_of_a_secret(limit: int) -> None:
    """Keys of many lines, and secrets in lines longer than any record, are gone before a cut."""
    key = (
        "-----BEGIN PRIVATE KEY-----\n"
        + f"{'MIIEvQIBADAN' * 5}\n" * 90
        + "-----END PRIVATE KEY-----"
    )
    long = " ".join(f"password=hunter{i}hunter2 error" for i in range(900))
    text = "\n".join([key, *_LOG[:900], long, *_LOG[900:]])
    shown = _fitted(text, limit)

    assert size_of(shown) <= limit
    assert "MIIEv" not in shown
    assert "hunter" not in shown


def test_a_key_of_many_lines_moves_no_line() -> None:
    """What stands behind it keeps its number."""
    key = ["-----BEGIN PRIVATE KEY-----", *["MIIEvQIBADAN" * 5] * 30, "-----END PRIVATE KEY-----"]
    lines = [*_LOG[:50], *key, *_LOG[50:], "ERROR at last"]

    assert dict(_numbered(_fitted("\n".join(lines), 2500)))[len(lines)] == "ERROR at last"


def test_a_text_is_looked_through_once_for_all_windows() -> None:
    """Each provider of a chain gets its own choice of one analysis."""
    masked: list[int] = []

    def mask(text: str) -> str:
        masked.append(len(text))
        return text

    condenser = Condenser(mask)
    text = "x" * 9000 + "\n" + "\n".join(_LOG)
    shown = [condenser.fitted(text, limit) for limit in (2000, 8000, 40_000, 2000)]

    assert masked.count(9000) == 1
    assert shown[0] == shown[3]
    assert len({*shown}) == 3


_SECRETS = st.lists(
    st.sampled_from(
        ["pwd=a1", "url=postgres://app:pw3@db/x", "error", "${A}", '"pass":1', " ", "\n"]
    ),
    min_size=1,
    max_size=20,
).flatmap(lambda words: st.integers(1, 300).map(lambda times: ("".join(words) + "\n") * times))


@settings(max_examples=80, deadline=None)
@given(_SECRETS, st.integers(0, 9000))
def test_what_is_shown_fits_masked_too(text: str, limit: int) -> None:
    """Placeholders are longer than short secrets, and do not burst what was cut, or left whole."""
    shown = _fitted(text, limit)

    assert size_of(shown) <= limit
    assert size_of(mask_credentials(shown)) <= limit
    if max(size_of(text), size_of(mask_credentials(text))) <= limit:
        assert shown == text


def test_lines_keep_their_numbers_where_masking_takes_room() -> None:
    """A second choice is one of the same lines, the trouble among them; secrets take a share."""
    lines = [f"10:00:{i % 60:02d} conn {i} url=postgres://app:pw{i % 9}@db ok" for i in range(4000)]
    lines[2345] = "10:00:00 fatal: conn 2345 lost"
    shown = _fitted("\n".join(lines), 8000)
    numbered = dict(_numbered(shown))

    assert numbered[2346] == lines[2345]
    assert all(lines[number - 1] == line for number, line in numbered.items())
    assert 6000 < size_of(mask_credentials(shown)) <= 8000


_WORDS = [
    "error ",
    "fatal ",
    "ok ",
    "7 ",
    "a1b2 ",
    "\u4e16 ",
    "x" * 30,
    "\t",
    "\u0130",
    "10:00:00 ",
]
_TEXTS = st.lists(
    st.lists(st.sampled_from([*_WORDS, "\n", "\r\n", "\n  at "]) | st.text(max_size=6), max_size=40)
    .map("".join)
    .flatmap(lambda piece: st.integers(1, 60).map(lambda times: f"{piece}\n" * times)),
    max_size=12,
).map("".join)


@settings(max_examples=120, deadline=None)
@given(_TEXTS, st.integers(-5, 6000))
def test_every_line_shown_is_a_line_of_the_text_at_its_number(text: str, limit: int) -> None:
    """Whatever the text: within the limit, whole if it fits, the same each time, no line moved."""
    shown = _fitted(text, limit)

    assert size_of(shown) <= max(limit, 0)
    assert shown == _fitted(text, limit)
    if size_of(text) <= limit:
        assert shown == text
    elif "\n[... the telling" not in f"\n{shown}" or "[... " in text:
        return
    lines = text.split("\n")
    for number, line in _numbered(shown):
        assert lines[number - 1].startswith(line)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=30, unique=True), st.integers(1500, 9000))
def test_trouble_is_shown_before_anything_quiet(places: list[int], limit: int) -> None:
    """No quiet line stands between beginning and end where a kind of trouble is missing."""
    letters = "ghijklmnopqrstuvwxyz"
    lines = [f"{letters[i % 20]}{letters[i // 20]} {'quiet ' * 6}" for i in range(400)]
    errors = [
        f"{letters[n % 20]}{letters[n // 20]}z error {'loud ' * 6}" for n in range(len(places))
    ]
    for place, error in zip(places, errors, strict=True):
        lines[place:place] = [error]
    shown = [line for _, line in _numbered(_fitted("\n".join(lines), limit))]

    if any(error not in shown for error in errors):
        edges = {*lines[: len(lines) // 8], *lines[-len(lines) // 5 :]}
        assert all("loud" in line or line in edges or not line for line in shown)
