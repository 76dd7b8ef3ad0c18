"""Stops asking who fails, and lets exactly one real request find out whether it is over.

A failure is counted once it is known, a caller who leaves counts for nothing, and what began
before the breaker opened says nothing about how things are since.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from enum import StrEnum

from faultmaven.infrastructure.llm.resilience.deadline import Clock
from faultmaven.infrastructure.llm.resilience.retry import Chance
from faultmaven.infrastructure.llm.resilience.window import Window


class BreakerState(StrEnum):
    """Whether a breaker lets calls through: all, one, or none."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens, and for how long.

    Attributes:
        failures: failures in a row that open it.
        share: success rate below which it opens.
        calls: fewest calls in the window for the rate to mean anything.
        window: seconds the rate looks back.
        first: seconds it stays open the first and the second time; each further time twice as
            long, so never much longer than the provider has been failing so far.
        longest: most seconds it stays open.
    """

    failures: int = 5
    share: float = 0.5
    calls: int = 10
    window: float = 10.0
    first: float = 1.0
    longest: float = 60.0


@dataclass(slots=True)
class Breaker:
    """One circuit breaker.

    Attributes:
        rules: when it opens.
        clock: monotonic seconds.
        chance: source of jitter: it stays open for 75 to 100 % of its time, so that many
            gateways do not come back at once.
    """

    rules: BreakerRules = BreakerRules()
    clock: Clock = time.monotonic
    chance: Chance = random.random
    _good: Window = field(init=False)
    _bad: Window = field(init=False)
    _in_a_row: int = field(default=0, init=False)
    _openings: int = field(default=0, init=False)  # since it was last closed
    _until: float = field(default=0.0, init=False)
    _is_open: bool = field(default=False, init=False)
    _probe: Pass | None = field(default=None, init=False)
    _era: int = field(default=0, init=False)  # counts changes: who began before one is not heard

    def __post_init__(self) -> None:
        """Begin closed."""
        self._good, self._bad = Window(self.rules.window), Window(self.rules.window)

    @property
    def state(self) -> BreakerState:
        """How it stands now."""
        if not self._is_open:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.clock() < self._until else BreakerState.HALF_OPEN

    def wait(self) -> float:
        """Seconds until it would let a call through; 0 when it does now.

        While the one that is let through is under way nobody knows: then it is the time it
        would stay open next.
        """
        if not self._is_open:
            return 0.0
        if self._probe is not None:
            return self._bound(self._openings)
        return max(0.0, self._until - self.clock())

    def enter(self) -> Pass | None:
        """Let a call through, or not. Whoever gets a pass must say how it ended."""
        if not self._is_open:
            return Pass(self, self._era)
        if self._probe is not None or self.clock() < self._until:
            return None
        return self._send_probe()

    def force(self) -> Pass | None:
        """Let a call through although it is open; nobody while another one is finding out."""
        if not self._is_open:
            return Pass(self, self._era)
        return None if self._probe is not None else self._send_probe()

    def _send_probe(self) -> Pass:
        self._probe = Pass(self, self._era)
        return self._probe

    def _succeeded(self, called: Pass) -> None:
        if called.era != self._era:
            return
        if called is self._probe:
            self._close()
            return
        self._in_a_row = 0
        self._good.add(self.clock())

    def _failed(self, called: Pass) -> None:
        if called.era != self._era:
            return
        if called is self._probe:
            self._open()
            return
        self._in_a_row += 1
        self._bad.add(self.clock())
        if self._in_a_row >= self.rules.failures or self._fails_too_often():
            self._open()

    def _released(self, called: Pass) -> None:
        if called is self._probe:
            self._probe = None

    def _fails_too_often(self) -> bool:
        now = self.clock()
        good, bad = self._good.count(now), self._bad.count(now)
        return good + bad >= self.rules.calls and good < self.rules.share * (good + bad)

    def _open(self) -> None:
        jitter = 0.75 + 0.25 * self.chance()
        self._until = self.clock() + self._bound(self._openings) * jitter
        self._openings += 1
        self._change(is_open=True)

    def _close(self) -> None:
        self._openings = 0
        self._change(is_open=False)

    def _change(self, *, is_open: bool) -> None:
        self._is_open, self._probe, self._in_a_row = is_open, None, 0
        self._era += 1
        self._good.clear()
        self._bad.clear()

    def _bound(self, openings: int) -> float:
        doublings = min(max(openings - 1, 0), 30)
        return min(self.rules.longest, self.rules.first * 2.0**doublings)


@dataclass(eq=False, slots=True)
class Pass:
    """One call that a breaker let through; it is told once how the call ended.

    Attributes:
        breaker: who let it through.
        era: when: what happens to the breaker meanwhile makes its outcome old news.
    """

    breaker: Breaker
    era: int
    _told: bool = field(default=False, init=False)

    def succeeded(self) -> None:
        """The provider answered."""
        if self._tell():
            self.breaker._succeeded(self)  # noqa: SLF001 - two halves of one thing

    def failed(self) -> None:
        """The provider failed in a way that counts."""
        if self._tell():
            self.breaker._failed(self)  # noqa: SLF001 - as above

    def released(self) -> None:
        """Nothing can be said of the provider; if it was to find out, somebody else may."""
        if self._tell():
            self.breaker._released(self)  # noqa: SLF001 - as above

    def _tell(self) -> bool:
        told, self._told = self._told, True
        return not told
