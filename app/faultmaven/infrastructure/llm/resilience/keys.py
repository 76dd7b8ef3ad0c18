"""Which of a provider's keys is next, and which is left alone for a while.

A key is known here by its place alone, from 0; the secret itself never comes near.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from faultmaven.errors import ErrorClass, ProviderError
from faultmaven.infrastructure.llm.resilience.deadline import Clock

_REFUSED = 600.0  # seconds; a key that is refused seldom comes back by itself
_OUT_OF_QUOTA = 300.0  # seconds; money comes slowly
_USUAL: Mapping[ErrorClass, float | None] = {
    ErrorClass.AUTH: _REFUSED,
    ErrorClass.QUOTA: _OUT_OF_QUOTA,
    ErrorClass.RATE_LIMITED: None,
}
_LONGEST = 3600.0  # seconds; a provider's word is not taken for longer than this


def seconds_aside(error: ProviderError) -> float | None:
    """Seconds for which the key of a failed request is left alone; ``None``: it is not the key's.

    A limit without a word of when to come back says nothing of the key that is worth keeping.
    """
    if error.error_class not in _USUAL:
        return None
    usual = _USUAL[error.error_class]
    told = None if error.error_class is ErrorClass.AUTH else error.retry_after
    wait = told or usual
    return min(wait, _LONGEST) if wait else None


@dataclass(slots=True)
class KeyRing:
    """Takes turns over the keys of one provider. Belongs to one event loop.

    Attributes:
        count: how many keys there are, from 1.
        clock: monotonic seconds.
    """

    count: int
    clock: Clock = time.monotonic
    _until: dict[int, float] = field(default_factory=dict, init=False)
    _turn: int = field(default=0, init=False)

    def take(self) -> int:
        """The key for a new request: the next in turn, or who comes back first of all set aside."""
        place = self.another(())
        return min(self._until, key=self._until.__getitem__) if place is None else place

    def another(self, tried: Collection[int]) -> int | None:
        """The next key in turn that is neither tried nor set aside; ``None`` if there is none."""
        for place in self.in_turn():
            if place not in tried and not self.is_aside(place):
                self._turn = (place + 1) % self.count
                return place
        return None

    def in_turn(self) -> list[int]:
        """All keys, whose turn it is first, whether set aside or not; nobody's turn passes."""
        return [(self._turn + step) % self.count for step in range(self.count)]

    def is_aside(self, place: int) -> bool:
        """Whether the key is left alone at the moment."""
        return self._until.get(place, 0.0) > self.clock()

    def set_aside(self, place: int, seconds: float) -> None:
        """Leave a key alone for so long; the latest word counts."""
        self._until[place] = self.clock() + seconds

    def restore(self, place: int) -> None:
        """Use a key as any other again."""
        self._until.pop(place, None)

    def wait(self) -> float:
        """Seconds until a key may be used; 0 when one may be now."""
        if len(self._until) < self.count:
            return 0.0
        return max(0.0, min(self._until.values()) - self.clock())
