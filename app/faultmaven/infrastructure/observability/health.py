"""What recent attempts say about each provider. It is told; it never asks."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.directory import ProviderDirectory, asks_default_model
from faultmaven.infrastructure.observability.rolling import RollingShare
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.status import ProviderHealth

WINDOW_SECONDS = 300.0
DOWN_AFTER = 3
DEGRADED_BELOW = 0.9
_LATENCIES = 256

MISCONFIGURED = frozenset({ErrorClass.AUTH, ErrorClass.MODEL_NOT_FOUND})
# The provider did its part: what was asked, or the model's policy, is the matter.
_NEUTRAL = frozenset(
    {ErrorClass.CONTENT_FILTER, ErrorClass.CONTEXT_LENGTH, ErrorClass.INVALID_REQUEST}
)

Clock = Callable[[], float]


@dataclass(slots=True)
class _Record:
    """What is remembered of one provider."""

    outcomes: RollingShare
    latencies: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    consecutive_failures: int = 0
    last_failure: Attempt | None = None
    last_success_at: float | None = None


class HealthTracker:
    """Turns attempts into a `ProviderHealth` per provider; constant work per attempt.

    A provider is ``down`` after three failures in a row, and at once when its key is refused
    or its configured model does not exist, since only a person mends that. It is ``degraded``
    when fewer than 90 % of the attempts of the last five minutes succeeded, or while it limits
    our rate. Nothing heard in five minutes means ``unknown`` again, so that a provider that
    nobody asks any more does not stay down for ever. Refusals by policy, prompts that are too
    long, requests a caller got wrong, models a caller named and attempts that a caller's own
    deadline cut short do not count.
    """

    def __init__(
        self,
        directory: ProviderDirectory,
        *,
        clock: Clock = time.monotonic,
        wall_clock: Clock = time.time,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._wall_clock = wall_clock
        self._records: dict[str, _Record] = {}

    def snapshot(self) -> Mapping[str, ProviderHealth]:
        """The health of every provider that was asked so far."""
        now = self._clock()
        return {name: _health(record, now) for name, record in self._records.items()}

    def forget(self, provider: str) -> None:
        """What was seen of a provider says nothing any more: it is configured otherwise now."""
        self._records.pop(provider, None)

    def on_start(self, provider: str) -> None:
        """Nothing is known before an attempt ends."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Take an ended attempt into account."""
        if not self._counts(attempt):
            return
        record = self._record(attempt.provider)
        now = self._clock()
        record.outcomes.add(good=attempt.succeeded, now=now)
        if attempt.succeeded:
            record.latencies.append((now, attempt.total_ms))
            record.consecutive_failures = 0
            record.last_success_at = self._wall_clock()
        else:
            record.consecutive_failures += 1
            record.last_failure = attempt

    def on_cancel(self, provider: str) -> None:
        """A caller that leaves says nothing about the provider."""

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """The attempts have said it already."""

    def on_answer(self, response: LLMResponse) -> None:
        """The attempts have said it already."""

    def _counts(self, attempt: Attempt) -> bool:
        if attempt.cut_short:
            return False
        if attempt.error_class is ErrorClass.MODEL_NOT_FOUND:
            return asks_default_model(self._directory, attempt.provider, attempt.model)
        return attempt.error_class not in _NEUTRAL

    def _record(self, provider: str) -> _Record:
        record = self._records.get(provider)
        if record is None:
            record = self._records[provider] = _Record(RollingShare(WINDOW_SECONDS))
        return record


def _health(record: _Record, now: float) -> ProviderHealth:
    availability = record.outcomes.share(now)
    median, high = _percentiles(record, now)
    failure = record.last_failure
    return ProviderHealth(
        state=_state(record, availability),
        availability=availability,
        consecutive_failures=record.consecutive_failures,
        last_error_class=failure.error_class if failure else None,
        last_error=failure.detail if failure else None,
        hint=failure.hint if failure and record.consecutive_failures else None,
        last_success_at=record.last_success_at,
        latency_ms_p50=median,
        latency_ms_p95=high,
    )


def _state(record: _Record, availability: float | None) -> str:
    reason = record.last_failure.error_class if record.last_failure else None
    if record.consecutive_failures and reason in MISCONFIGURED:
        return "down"
    if availability is None:
        return "unknown"
    if record.consecutive_failures >= DOWN_AFTER:
        return "degraded" if reason is ErrorClass.RATE_LIMITED else "down"
    return "healthy" if availability >= DEGRADED_BELOW else "degraded"


def _percentiles(record: _Record, now: float) -> tuple[float | None, float | None]:
    """Median and 95th percentile of the answers in the window, in milliseconds."""
    recent = [took for at, took in record.latencies if now - at <= WINDOW_SECONDS]
    if len(recent) < 2:  # noqa: PLR2004 - a single value is its own percentile
        only = recent[0] if recent else None
        return only, only
    cuts = statistics.quantiles(recent, n=20, method="inclusive")
    return round(cuts[9], 1), round(cuts[18], 1)
