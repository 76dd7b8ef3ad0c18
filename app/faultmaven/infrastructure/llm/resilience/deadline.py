"""The moment by which a caller must have an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from faultmaven.errors import ProviderTimeoutError
from faultmaven.models.value import value

Clock = Callable[[], float]
"""Monotonic seconds."""


@value
class Deadline:
    """A moment on a monotonic clock; every wait is bounded by what is left until it.

    Attributes:
        at: the moment, in the clock's seconds.
        clock: the clock it is read against.
    """

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, *, clock: Clock = time.monotonic) -> Deadline:
        """The moment ``seconds`` from now."""
        return cls(at=clock() + seconds, clock=clock)

    def left(self) -> float:
        """Seconds until the moment; 0 once it has passed."""
        left = self.at - self.clock()
        return left if left > 0 else 0.0

    @property
    def passed(self) -> bool:
        """Whether the moment has come."""
        return self.clock() >= self.at


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Bound everything in the block to ``seconds``.

    Raises:
        ProviderTimeoutError: it took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ProviderTimeoutError(f"no answer within {seconds:.1f} s") from error
