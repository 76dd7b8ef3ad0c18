"""What recent attempts and free calls say about each provider. It is told; it never asks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.directory import ProviderDirectory, asks_default_model
from faultmaven.infrastructure.observability.evidence import Evidence, Moment, Probes
from faultmaven.infrastructure.observability.judgement import (
    ends_an_outage,
    state_of,
    trouble_in,
)
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import HedgeOutcome, LLMResponse
from faultmaven.models.status import Probe, ProbeReport, ProviderHealth

# The provider did its part: what was asked, or the model's policy, is the matter.
_NEUTRAL = frozenset(
    {ErrorClass.CONTENT_FILTER, ErrorClass.CONTEXT_LENGTH, ErrorClass.INVALID_REQUEST}
)

Clock = Callable[[], float]


class HealthTracker:
    """Turns attempts and free calls into a `ProviderHealth` per provider; see `judgement`.

    Constant work per attempt. Refusals by policy, prompts that are too long, requests a caller got
    wrong, models a caller named and attempts that a caller's own deadline cut short do not count.
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
        self._evidence: defaultdict[str, Evidence] = defaultdict(Evidence)

    def snapshot(self) -> Mapping[str, ProviderHealth]:
        """The health of every provider that anything was heard of."""
        now = self._clock()
        return {name: _health(evidence, now) for name, evidence in self._evidence.items()}

    def forget(self, provider: str) -> None:
        """Know nothing of a provider any more: it is configured otherwise than it was."""
        self._evidence.pop(provider, None)

    def on_start(self, provider: str) -> None:
        """Nothing is known before an attempt ends."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Take an ended attempt into account."""
        if self._counts(attempt):
            self._evidence[attempt.provider].attempts.add(attempt, self._now())

    def on_probe(self, probe: Probe) -> None:
        """Take an ended free call into account."""
        evidence, now = self._evidence[probe.provider], self._now()
        began = now.at - probe.latency_ms / 1000
        if ends_an_outage(probe, began=began, before=evidence):
            evidence.attempts.start_afresh()
        evidence.probes.add(probe, now)

    def on_cancel(self, provider: str) -> None:
        """An attempt that nobody waits for any more says nothing about the provider."""

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """The attempts have said it already."""

    def on_hedge(self, first: str, second: str, outcome: HedgeOutcome) -> None:
        """Being slower than another one is no illness."""

    def on_answer(self, response: LLMResponse) -> None:
        """The attempts have said it already."""

    def _counts(self, attempt: Attempt) -> bool:
        if attempt.cut_short:
            return False
        if attempt.error_class is ErrorClass.MODEL_NOT_FOUND:
            return asks_default_model(self._directory, attempt.provider, attempt.model)
        return attempt.error_class not in _NEUTRAL

    def _now(self) -> Moment:
        return Moment(self._clock(), self._wall_clock())


def _health(evidence: Evidence, now: float) -> ProviderHealth:
    attempts, probes = evidence.attempts, evidence.probes
    failure, stands = trouble_in(evidence, now)
    median, high, highest = attempts.percentiles(now)
    return ProviderHealth(
        state=state_of(evidence, now),
        availability=attempts.outcomes.share(now),
        consecutive_failures=attempts.failures,
        last_error_class=failure.error_class if failure else None,
        last_error=failure.detail if failure else None,
        last_error_at=_date(probes.failed if failure is probes.failure else attempts.failed),
        hint=failure.hint if failure and stands else None,
        last_success_at=_date(attempts.succeeded),
        latency_ms_p50=median,
        latency_ms_p95=high,
        latency_ms_p99=highest,
        last_probe=_report(probes),
    )


def _report(probes: Probes) -> ProbeReport | None:
    probe, at = probes.latest, _date(probes.ended)
    if probe is None or at is None:
        return None
    return ProbeReport(at, probe.outcome, round(probe.latency_ms, 1), probe.detail)


def _date(moment: Moment) -> datetime | None:
    return datetime.fromtimestamp(moment.unix, UTC) if moment.unix else None
