"""How long a provider's answers take of late, so that one of them can be called slow."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field

_KEPT = 128  # a percentile of some hundred times follows a change within as many answers
_FEWEST = 20  # below it the 95th of a hundred is nothing but the largest


@dataclass(slots=True)
class Pace:
    """The latest times, in a ring; what is newer pushes out what is oldest.

    Attributes:
        kept: most times that are remembered.
        fewest: times below which nothing is said.
    """

    kept: int = _KEPT
    fewest: int = _FEWEST
    _latest: deque[float] = field(default_factory=deque, init=False)
    _ordered: list[float] = field(default_factory=list, init=False)

    def add(self, seconds: float) -> None:
        """Remember one time."""
        if len(self._latest) == self.kept:
            del self._ordered[bisect_left(self._ordered, self._latest.popleft())]
        self._latest.append(seconds)
        insort(self._ordered, seconds)

    def percentile(self, percent: int) -> float | None:
        """The time that ``percent`` of a hundred do not exceed; ``None`` while too few are known.

        The nearest rank, so that it is always a time that was seen.
        """
        known = len(self._ordered)
        if known < self.fewest:
            return None
        return self._ordered[-(-percent * known // 100) - 1]
