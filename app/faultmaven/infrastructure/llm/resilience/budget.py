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


@dataclass(slots=True)
class HedgeBudget:
    """Lets one call in so many be made twice; what is not used is kept for later, up to a limit.

    Unlike a share of the last seconds it lets a quiet service hedge as well, and holds exactly:
    at no time were there more extra calls than one for every ``every`` calls made until then.

    Attributes:
        every: calls that pay for an extra one.
        most: extra calls that can be saved up, so that trouble after a quiet day is no burst.
    """

    every: int = 20
    most: int = 10
    _saved: int = field(default=0, init=False)  # calls that have not paid yet

    def called(self) -> None:
        """A call was made that is no extra one."""
        self._saved = min(self._saved + 1, self.every * self.most)

    @property
    def affords(self) -> bool:
        """Whether there is enough for an extra call."""
        return self._saved >= self.every

    def pay(self) -> None:
        """Make an extra call; only where it is afforded."""
        self._saved -= self.every
