"""Twice the text is twice the work, whatever stands in it: counted, not timed."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from faultmaven.models.credentials import mask_credentials
from faultmaven.services.condensing import Condenser
from faultmaven.services.diagnosis import Source, Sources

_SHAPES: dict[str, Callable[[int], str]] = {
    "alike": lambda n: "2026-11-23T03:00:00 ERROR timeout after 17 ms at node 3\n" * (n // 56),
    "different": lambda n: "".join(
        f"{i:x}q {i * 7919 % 104729:x}z went well\n" for i in range(n // 24)
    ),
    "one line": lambda n: "error 5 at node; " * (n // 17),
    "breaks": lambda n: "\n" * n,
    "keys": lambda n: "-----BEGIN PRIVATE KEY-----\nabc\n" * (n // 32),
    "colons": lambda n: ":" * n,
}


def _calls(work: Callable[[], object]) -> int:
    """Calls that it makes, those of the interpreter's own functions included."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def _calls_to_condense(text: str) -> int:
    return _calls(lambda: Condenser(mask_credentials).fitted(text, 20_000))


@pytest.mark.parametrize("shape", _SHAPES)
def test_work_grows_with_the_text_and_no_faster(shape: str) -> None:
    """Twice the characters take at most a little more than twice the calls."""
    once, twice = (_calls_to_condense(_SHAPES[shape](size)) for size in (60_000, 120_000))

    assert twice <= 2.3 * once


@pytest.mark.parametrize("shape", ["alike", "different", "one line", "breaks"])
def test_memory_stays_within_a_few_times_the_text(shape: str) -> None:
    """Condensing a text, and looking quotes up in it, takes at most five times its memory."""
    text = _SHAPES[shape](400_000)
    sources = Sources((Source("query", text),), mask=mask_credentials)
    tracemalloc.start()
    try:
        Condenser(mask_credentials).fitted(text, 20_000)
        sources.verify(["this stands nowhere", "[neither] does this"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak <= 5 * len(text)
