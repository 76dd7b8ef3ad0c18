"""What retries may cost, over all requests together.

A retry helps the one request that makes it, and together they multiply the load on a provider that
is in trouble already. The budget caps the multiplication, as in Google's "Site Reliability
Engineering", chapter 21, and Finagle's retry budgets.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from faultmaven.infrastructure.llm.resilience.deadline import Clock
from faultmaven.infrastructure.llm.resilience.window import Window

_SECONDS = 10.0


@dataclass(slots=True)
class RetryBudget:
    """Lets a share of the recent calls be retries, and a few each second in any case.

    Attributes:
        share: retries per call of the last ten seconds, from 0.
        floor: retries a second that are always paid for, so that quiet services retry too.
        clock: monotonic seconds.
    """

    share: float = 0.2
    floor: int = 3
    clock: Clock = time.monotonic
    _calls: Window = field(default_factory=lambda: Window(_SECONDS), init=False)
    _retries: Window = field(default_factory=lambda: Window(_SECONDS), init=False)
    _recent: Window = field(default_factory=lambda: Window(1.0), init=False)

    def called(self) -> None:
        """A call was made that is no retry."""
        self._calls.add(self.clock())

    def take(self) -> bool:
        """Pay for one retry; ``False`` where there is nothing left to pay with."""
        now = self.clock()
        earned = self._retries.count(now) + 1 <= self.share * self._calls.count(now)
        if not earned and self._recent.count(now) >= self.floor:
            return False
        self._retries.add(now)
        self._recent.add(now)
        return True
