"""What is remembered of one provider: its attempts, and the free calls that were made at it."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.rolling import RollingShare
from faultmaven.models.attempt import Attempt
from faultmaven.models.status import Probe
from faultmaven.models.value import value

WINDOW_SECONDS = 300.0
_LATENCIES = 256
_LONG_AGO = float("-inf")

# A free call that ends so is worth repeating; any other failure is the same the next time, and says
# nothing once an answer has shown that the free call alone is refused.
PASSING = frozenset(
    {
        ErrorClass.CONNECTION,
        ErrorClass.TIMEOUT,
        ErrorClass.OVERLOADED,
        ErrorClass.RATE_LIMITED,
    }
)


@value
class Moment:
    """A point in time.

    Attributes:
        at: monotonic seconds, for comparing.
        unix: Unix time in seconds, for people.
    """

    at: float = _LONG_AGO
    unix: float = 0.0


_NEVER = Moment()


@dataclass(slots=True)
class Attempts:
    """The attempts at one provider, as far as they count.

    Attributes:
        outcomes: those of the last five minutes.
        judged: the same, without what lies before the end of an outage that free calls saw.
        failures: failures since the last success or the end of such an outage.
        failure: the latest failed one.
        failed: when that was.
        succeeded: when one succeeded last.
    """

    outcomes: RollingShare = field(default_factory=lambda: RollingShare(WINDOW_SECONDS))
    judged: RollingShare = field(default_factory=lambda: RollingShare(WINDOW_SECONDS))
    failures: int = 0
    failure: Attempt | None = None
    failed: Moment = _NEVER
    succeeded: Moment = _NEVER
    _latencies: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_LATENCIES))

    def add(self, attempt: Attempt, now: Moment) -> None:
        """Take an ended attempt into account."""
        good = attempt.succeeded
        for share in (self.outcomes, self.judged):
            share.add(good=good, now=now.at)
        if good:
            self._latencies.append((now.at, attempt.total_ms))
            self.failures, self.succeeded = 0, now
        else:
            self.failures += 1
            self.failure, self.failed = attempt, now

    def start_afresh(self) -> None:
        """Judge by what is still to come: what was is over."""
        self.failures = 0
        self.judged = RollingShare(WINDOW_SECONDS)

    def percentiles(self, now: float) -> tuple[float | None, float | None, float | None]:
        """Median, 95th and 99th percentile of the answers in the window, in milliseconds."""
        recent = [took for at, took in self._latencies if now - at <= WINDOW_SECONDS]
        if len(recent) < 2:  # noqa: PLR2004 - a single value is its own percentile
            only = recent[0] if recent else None
            return only, only, only
        cuts = statistics.quantiles(recent, n=100, method="inclusive")
        return round(cuts[49], 1), round(cuts[94], 1), round(cuts[98], 1)


@dataclass(slots=True)
class Probes:
    """The free calls that were made at one provider.

    Attributes:
        latest: the latest one.
        began: when it was begun.
        ended: when it ended.
        failures: failures of its kind in a row; 0 when it passed.
        failure: the latest failed one.
        failed: when that ended.
        refutable_since: an attempt that succeeded later than this, in monotonic seconds, shows
            that the provider answers, whatever the failed calls say.
    """

    latest: Probe | None = None
    began: float = _LONG_AGO
    ended: Moment = _NEVER
    failures: int = 0
    failure: Probe | None = None
    failed: Moment = _NEVER
    refutable_since: float = _LONG_AGO

    def add(self, probe: Probe, now: Moment) -> None:
        """Take an ended free call into account."""
        began = now.at - probe.latency_ms / 1000
        if probe.error_class is None:
            self.failures = 0
        else:
            self._add_failure(probe, began, now)
        self.latest, self.began, self.ended = probe, began, now

    def _add_failure(self, probe: Probe, began: float, now: Moment) -> None:
        passing = probe.error_class in PASSING
        goes_on = self.failures > 0 and self.failure is not None
        if not (goes_on and self.failure and (self.failure.error_class in PASSING) == passing):
            self.failures, self.refutable_since = 0, began
        elif passing:
            # What answered before the call before this one may be gone since.
            self.refutable_since = self.began
        self.failures += 1
        self.failure, self.failed = probe, now

    def hold(self, now: float) -> bool:
        """Whether the latest one still says something."""
        return self.latest is not None and now - self.ended.at <= self.latest.holds


@dataclass(slots=True)
class Evidence:
    """Everything that was heard of one provider."""

    attempts: Attempts = field(default_factory=Attempts)
    probes: Probes = field(default_factory=Probes)
