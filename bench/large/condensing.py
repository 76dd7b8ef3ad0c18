"""What condensing a text costs, apart from everything else."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import dataclass

from faultmaven.services.condensing import Condenser
from faultmaven.services.sanitizer import Sanitizer

_LARGE, _SMALL = 400_000, 8_000  # bytes; the prompts for windows of 128,000 and 4,000 tokens


@dataclass(frozen=True, slots=True)
class Condensed:
    """What it cost.

    Attributes:
        first: seconds of CPU for a large window.
        further: seconds for a small one, after that.
        memory: most memory taken, in multiples of the text; the text itself is not counted.
    """

    first: float
    further: float
    memory: float


def condensed(text: str) -> Condensed:
    """Condense a text for one window and then for another."""
    mask = Sanitizer().mask
    condenser = Condenser(mask)
    started = time.process_time()
    condenser.fitted(text, _LARGE)
    first = time.process_time() - started
    condenser.fitted(text, _SMALL)
    further = time.process_time() - started - first
    return Condensed(first, further, _memory(text) / len(text.encode("utf-8", "replace")))


def _memory(text: str) -> int:
    tracemalloc.start()
    try:
        Condenser(Sanitizer().mask).fitted(text, _LARGE)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
