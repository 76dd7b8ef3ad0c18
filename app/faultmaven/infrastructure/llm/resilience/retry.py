"""When asking the same provider again is worth its wait.

Full-jitter exponential backoff, as in AWS's "Exponential Backoff And Jitter": the wait is drawn
evenly from zero to a bound that doubles with each try.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from faultmaven.errors import ProviderError

Chance = Callable[[], float]
"""A random number in [0, 1)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient we are with one provider.

    Attributes:
        base: bound of the first wait, in seconds.
        cap: bound of any wait of our own choosing, in seconds.
        patience: longest wait a provider may ask for while another one is left to ask.
        chance: source of jitter.
    """

    base: float = 0.25
    cap: float = 8.0
    patience: float = 2.0
    chance: Chance = random.random

    def wait_before(
        self,
        error: ProviderError,
        *,
        retries_left: int,
        tries: int,
        time_left: float,
        has_next: bool,
    ) -> float | None:
        """Seconds to wait before asking this provider again, or ``None`` not to.

        Args:
            error: how the last try failed.
            retries_left: retries this provider may still have in this request.
            tries: tries made so far, from 1.
            time_left: seconds until the request's deadline.
            has_next: whether another provider could be asked instead.
        """
        if not error.retryable or retries_left < 1 or tries > error.retry_limit:
            return None
        if error.prefers_next and has_next:
            return None
        wait = self._wait(error, tries)
        limit = min(time_left, self.patience) if has_next else time_left
        return wait if wait < limit else None

    def _wait(self, error: ProviderError, tries: int) -> float:
        if error.retry_after is not None:
            return error.retry_after
        bound = min(self.cap, self.base * 2.0 ** min(tries - 1, 30))
        return self.chance() * bound
