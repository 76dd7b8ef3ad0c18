"""When a dead server is started again, and when we stop trying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """Bounded exponential backoff with jitter.

    Attributes:
        first_delay: seconds before the first restart, at most.
        longest_delay: seconds no restart waits longer than.
        most_deaths: deaths in a row after which we give up.
        stable_after: seconds of life after which a death is the first in a row.
    """

    first_delay: float = 0.5
    longest_delay: float = 30.0
    most_deaths: int = 5
    stable_after: float = 60.0

    def count(self, deaths: int, lived: float) -> int:
        """Deaths in a row, now that a server died which had lived for ``lived`` seconds."""
        return 1 if lived >= self.stable_after else deaths + 1

    def gives_up(self, deaths: int) -> bool:
        """Whether so many deaths in a row are enough."""
        return deaths >= self.most_deaths

    def delay(self, deaths: int, uniform: Callable[[float, float], float]) -> float:
        """Seconds to wait before the next start: half fixed, half left to chance."""
        ceiling = min(self.longest_delay, self.first_delay * 2.0 ** (deaths - 1))
        return uniform(ceiling / 2, ceiling)
