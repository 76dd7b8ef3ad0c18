"""Counts over the last minutes, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_SLOTS = 30


@dataclass(slots=True)
class _Slot:
    number: int = -1
    good: int = 0
    bad: int = 0


@dataclass(slots=True)
class RollingShare:
    """The share of good outcomes over a sliding window, cut into slots that expire whole.

    Attributes:
        seconds: length of the window; what is older does not count.
    """

    seconds: float
    _slots: list[_Slot] = field(
        init=False, default_factory=lambda: [_Slot() for _ in range(_SLOTS)]
    )

    def add(self, *, good: bool, now: float) -> None:
        """Count one outcome at monotonic time ``now``, in seconds."""
        number = int(now * _SLOTS / self.seconds)
        slot = self._slots[number % _SLOTS]
        if slot.number != number:
            slot.number, slot.good, slot.bad = number, 0, 0
        if good:
            slot.good += 1
        else:
            slot.bad += 1

    def share(self, now: float) -> float | None:
        """Good outcomes of all in the window, in [0, 1]; ``None`` when there were none."""
        recent = list(self._recent(now))
        good = sum(slot.good for slot in recent)
        total = good + sum(slot.bad for slot in recent)
        return good / total if total else None

    def _recent(self, now: float) -> Iterator[_Slot]:
        oldest = int(now * _SLOTS / self.seconds) - _SLOTS
        return (slot for slot in self._slots if slot.number > max(oldest, -1))
