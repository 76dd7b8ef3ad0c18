"""Of a text that is too long, the telling part is kept and the rest counted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.services.excerpt import excerpt

_LOG = "".join(
    f"2025-03-14T14:00:{i % 60:02d} INFO request {i} took {i * 7} ms\n" for i in range(5000)
)


def test_short_text_is_left_alone() -> None:
    """What fits is not touched."""
    assert excerpt("abc", 3) == "abc"


def test_head_tail_and_trouble_are_kept() -> None:
    """The one fatal line in the middle survives with its neighbours, and the gaps are counted."""
    lines = _LOG.splitlines()
    lines[2500] = "2025-03-14T14:41:40 FATAL disk quota reached on /data"
    text = "\n".join(lines)

    short = excerpt(text, 3000)

    assert len(short) <= 3000
    assert short.startswith(lines[0])
    assert short.endswith(lines[-1])
    for line in lines[2499:2502]:
        assert line in short
    assert short.count("lines left out ...]") == 2


def test_left_out_lines_are_counted_right() -> None:
    """Kept and left-out lines together are all lines."""
    short = excerpt(_LOG, 2000)
    (note,) = [line for line in short.splitlines() if "left out" in line]
    left_out = int(note.split()[1].replace(",", ""))

    assert left_out + len(short.splitlines()) - 1 == 5000


def test_repetition_does_not_crowd_out_the_rest() -> None:
    """Ten thousand alike errors leave room for the one that differs."""
    repeated = "".join(
        f"14:00:{i % 60:02d} ERROR timeout after {i} ms to 10.0.0.{i % 9}\n" for i in range(9000)
    )
    middle = len(repeated) // 2
    middle = repeated.index("\n", middle) + 1
    text = f"{repeated[:middle]}14:30:00 ERROR certificate has expired\n{repeated[middle:]}"

    assert "certificate has expired" in excerpt(text, 4000)


def test_grave_trouble_comes_before_common_trouble() -> None:
    """Where room is short, a panic is kept rather than one warning more."""
    warnings = "".join(
        f"{'abcdefghijklmnop'[i % 16]}{'qrstuvwxyz'[i % 10]}{'klmnopqrs'[i % 9]} warn {'x' * 80}\n"
        for i in range(2000)
    )
    quiet = "quiet\n" * 9000
    text = f"{quiet}{warnings}kernel panic: not syncing\n{quiet}"

    assert "kernel panic" in excerpt(text, 2000)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["ERROR x\n", "fatal", "\n", "y" * 90, "\u0130", "\u4e16\n", "Exception: "])
        | st.text(max_size=12),
        max_size=60,
    ).map(lambda parts: "".join(parts) * 20),
    st.integers(-5, 6000),
)
def test_excerpt_is_never_longer_than_asked(text: str, limit: int) -> None:
    """Whatever the text, the limit holds, and what fits is whole."""
    short = excerpt(text, limit)

    assert len(short) <= max(limit, 0)
    if len(text) <= limit:
        assert short == text


@pytest.mark.parametrize("piece", ["error\n", "a" * 700 + " error ", "abcdef" * 300, "\n", "error"])
def test_large_text_is_cut_quickly(piece: str) -> None:
    """Four megabytes of anything take no noticeable time."""
    text = piece * (4_000_000 // len(piece))
    started = time.process_time()

    excerpt(text, 20_000)

    # Usually below 0.3 s; anything quadratic takes minutes.
    assert time.process_time() - started < 5
