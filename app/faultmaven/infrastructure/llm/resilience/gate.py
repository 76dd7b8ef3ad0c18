"""Whether a provider should be asked now: the seam where breakers and limits stand.

The gate here keeps providers out of the way that said when to come back, or that are out of
money: asking them again before then costs time and gains nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from faultmaven.errors import ErrorClass, ProviderError
from faultmaven.infrastructure.llm.resilience.deadline import Clock

_SET_ASIDE: Mapping[ErrorClass, float] = {ErrorClass.QUOTA: 300.0}  # seconds; money comes slowly
_LONGEST = 3600.0  # seconds; a provider's word is not taken for longer than this


class Gate(Protocol):
    """Decides who may be asked, and learns from what happened."""

    def not_before(self, provider: str) -> float:
        """Seconds until ``provider`` should be asked again; 0 when it may be asked now."""
        ...

    def failed(self, provider: str, error: ProviderError) -> None:
        """An attempt failed."""
        ...

    def succeeded(self, provider: str) -> None:
        """An attempt succeeded."""
        ...


class CooldownGate:
    """Sets a provider aside for as long as its last failure says."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def not_before(self, provider: str) -> float:
        """Seconds until ``provider`` should be asked again; 0 when it may be asked now."""
        return max(0.0, self._until.get(provider, 0.0) - self._clock())

    def failed(self, provider: str, error: ProviderError) -> None:
        """Set the provider aside if the failure says for how long."""
        wait = _SET_ASIDE.get(error.error_class)
        if error.error_class is ErrorClass.RATE_LIMITED or wait is not None:
            wait = error.retry_after if error.retry_after is not None else wait
        if wait:
            self._until[provider] = self._clock() + min(wait, _LONGEST)

    def succeeded(self, provider: str) -> None:
        """Forget that the provider was set aside."""
        self._until.pop(provider, None)
