"""Whether a provider should be asked now: its breaker, what it asked for itself, and its room.

A provider that said when to come back, or that is out of money, is left alone until then: asking
it before costs time and gains nothing. One that fails is left alone by its breaker. One that is
busy with enough requests of ours is passed over.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from faultmaven.errors import ErrorClass, ProviderError
from faultmaven.infrastructure.llm.resilience.breaker import (
    Breaker,
    BreakerRules,
    BreakerState,
    Pass,
)
from faultmaven.infrastructure.llm.resilience.deadline import Clock
from faultmaven.infrastructure.llm.resilience.retry import Chance

_SET_ASIDE: Mapping[ErrorClass, float] = {ErrorClass.QUOTA: 300.0}  # seconds; money comes slowly
_LONGEST = 3600.0  # seconds; a provider's word is not taken for longer than this
_MOST_BREAKERS = 1000  # models may be named by callers; the least used one is forgotten
_FORCED_EVERY = 1.0  # seconds between two tries of a provider that nobody should ask
_BUSY = 1.0  # seconds after which a full provider may have room again

COUNTED = frozenset(
    {
        ErrorClass.CONNECTION,
        ErrorClass.TIMEOUT,
        ErrorClass.OVERLOADED,
        ErrorClass.MALFORMED,
    }
)
"""Failures that say that a provider is not well; the others say something of the request or key."""


class Entry(Protocol):
    """One attempt that was let through; told once how it ended."""

    def succeeded(self) -> None:
        """The provider answered."""
        ...

    def failed(self, error: ProviderError) -> None:
        """The provider failed."""
        ...

    def released(self) -> None:
        """Nothing can be said of the provider: the caller left, or it was not asked after all."""
        ...


class Gate(Protocol):
    """Decides who may be asked, and learns from what happened."""

    def wait(self, provider: str, model: str) -> float:
        """Seconds until ``model`` of ``provider`` should be asked again; 0 when it may be now."""
        ...

    def enter(self, provider: str, model: str, *, force: bool = False) -> Entry | None:
        """Let one attempt through, or not.

        Args:
            provider: who is to be asked.
            model: for which model.
            force: for want of anybody else, ask although it should be left alone; granted to one
                attempt a second.
        """
        ...


@dataclass(slots=True)
class ProviderGate:
    """The gate of all providers.

    Attributes:
        room: most attempts at a provider at the same time, by its name.
        rules: when breakers open.
        clock: monotonic seconds.
        chance: source of the breakers' jitter.
    """

    room: Callable[[str], float] = lambda _provider: float("inf")
    rules: BreakerRules = BreakerRules()  # noqa: RUF009 - frozen
    clock: Clock = time.monotonic
    chance: Chance = random.random
    _breakers: OrderedDict[tuple[str, str], Breaker] = field(
        default_factory=OrderedDict, init=False
    )
    _until: dict[str, float] = field(default_factory=dict, init=False)
    _forced: dict[str, float] = field(default_factory=dict, init=False)
    # Keeps each name it has seen: those of the configured providers, of which there are few.
    _inside: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int), init=False)

    def wait(self, provider: str, model: str) -> float:
        """Seconds until ``model`` of ``provider`` should be asked again; 0 when it may be now."""
        aside = self._until.get(provider, 0.0) - self.clock()
        breaker = self._breakers.get((provider, model))
        busy = _BUSY if self._is_full(provider) else 0.0
        return max(0.0, aside, breaker.wait() if breaker else 0.0, busy)

    def enter(self, provider: str, model: str, *, force: bool = False) -> Entry | None:
        """Let one attempt through, or not; see `Gate.enter`."""
        if self._is_full(provider):
            return None
        breaker = self._breaker(provider, model)
        called = None if self._is_aside(provider) else breaker.enter()
        if called is None and force and self._may_force(provider):
            called = breaker.force()
        if called is None:
            return None
        self._inside[provider] += 1
        return _Entry(self, provider, called)

    def forget(self, provider: str) -> None:
        """Give a provider that is configured otherwise now a new chance; its room stays taken."""
        self._until.pop(provider, None)
        for key in [key for key in self._breakers if key[0] == provider]:
            del self._breakers[key]

    def states(self, provider: str) -> BreakerState:
        """How the worst of a provider's breakers stands."""
        found = [b.state for (name, _), b in self._breakers.items() if name == provider]
        order = (BreakerState.OPEN, BreakerState.HALF_OPEN)
        return next((state for state in order if state in found), BreakerState.CLOSED)

    def _is_full(self, provider: str) -> bool:
        return self._inside[provider] >= self.room(provider)

    def _is_aside(self, provider: str) -> bool:
        return provider in self._until and self._until[provider] > self.clock()

    def _may_force(self, provider: str) -> bool:
        now = self.clock()
        if now - self._forced.get(provider, -_FORCED_EVERY) < _FORCED_EVERY:
            return False
        self._forced[provider] = now
        return True

    def _breaker(self, provider: str, model: str) -> Breaker:
        key = (provider, model)
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = Breaker(self.rules, clock=self.clock, chance=self.chance)
            self._breakers[key] = breaker
            if len(self._breakers) > _MOST_BREAKERS:
                self._breakers.popitem(last=False)
        self._breakers.move_to_end(key)
        return breaker

    def _set_aside(self, provider: str, error: ProviderError) -> None:
        wait = _SET_ASIDE.get(error.error_class)
        if error.error_class is ErrorClass.RATE_LIMITED or wait is not None:
            wait = error.retry_after if error.retry_after is not None else wait
        if wait:
            self._until[provider] = self.clock() + min(wait, _LONGEST)


@dataclass(slots=True)
class _Entry:
    """One attempt inside the gate."""

    gate: ProviderGate
    provider: str
    called: Pass
    _over: bool = field(default=False, init=False)

    def succeeded(self) -> None:
        """The provider answered: whatever it asked for before is over."""
        if self._end():
            self.gate._until.pop(self.provider, None)  # noqa: SLF001 - two halves of one thing
            self.called.succeeded()

    def failed(self, error: ProviderError) -> None:
        """The provider failed; only some failures are about its health."""
        if not self._end():
            return
        self.gate._set_aside(self.provider, error)  # noqa: SLF001 - as above
        if error.error_class in COUNTED:
            self.called.failed()
        else:
            self.called.released()

    def released(self) -> None:
        """Nothing can be said of the provider."""
        if self._end():
            self.called.released()

    def _end(self) -> bool:
        over, self._over = self._over, True
        if not over:
            self.gate._inside[self.provider] -= 1  # noqa: SLF001 - as above
        return not over
