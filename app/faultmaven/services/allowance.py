"""The time one request has."""

from __future__ import annotations

from collections.abc import Callable

from faultmaven.models.value import value


@value
class Allowance:
    """When a request came in, and how long it may take.

    Attributes:
        started: when it came in, on the clock.
        seconds: how long it may take.
        clock: gives seconds that never go back.
    """

    started: float
    seconds: float
    clock: Callable[[], float]

    @property
    def elapsed(self) -> float:
        """Seconds since the request came in."""
        return self.clock() - self.started

    @property
    def left(self) -> float:
        """Seconds left; never negative."""
        left = self.seconds - (self.clock() - self.started)
        return left if left > 0 else 0.0
