"""Counts over the last seconds, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Window:
    """How often something happened in the last seconds; what is older leaves slot by slot.

    Attributes:
        seconds: length of the window.
        slots: parts it is cut into: what leaves is at most one part too old.
    """

    seconds: float
    slots: int = 10
    _per_second: float = field(init=False)  # slots
    _counts: list[int] = field(init=False)
    _numbers: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Begin empty."""
        self._per_second = self.slots / self.seconds
        self.clear()

    def add(self, now: float) -> None:
        """Count one event at monotonic time ``now``, in seconds."""
        number = int(now * self._per_second)
        place = number % self.slots
        if self._numbers[place] != number:
            self._numbers[place], self._counts[place] = number, 0
        self._counts[place] += 1

    def count(self, now: float) -> int:
        """Events in the window that ends ``now``."""
        newest = int(now * self._per_second)
        return sum(
            count
            for count, number in zip(self._counts, self._numbers, strict=True)
            if newest - self.slots < number <= newest
        )

    def clear(self) -> None:
        """Forget everything."""
        self._counts, self._numbers = [0] * self.slots, [-1] * self.slots
