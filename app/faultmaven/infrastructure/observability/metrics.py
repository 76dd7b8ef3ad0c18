"""Attempts, answers and requests as Prometheus metrics.

Names begin with ``faultmaven_``; seconds, tokens, dollars and ratios; every label comes from a
closed set. Each `Metrics` has a registry of its own, so that two of them never clash.
"""

from __future__ import annotations

import time
from collections import deque

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from faultmaven.infrastructure.observability.counts import in_memory
from faultmaven.infrastructure.observability.directory import ProviderDirectory, asks_default_model
from faultmaven.infrastructure.observability.families import Ledger
from faultmaven.infrastructure.observability.request import RequestInFlight, current_request
from faultmaven.infrastructure.observability.series import (
    FALLBACK_REASONS,
    ProvidersSeries,
    RouteSeries,
    Series,
)
from faultmaven.infrastructure.observability.shared_values import shared_by, sum_of
from faultmaven.infrastructure.observability.state_collector import (
    BreakerState,
    HealthSource,
    StateCollector,
    always_closed,
)
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import HedgeOutcome, LLMResponse
from faultmaven.models.status import Probe
from faultmaven.models.worker import Worker


class Metrics:
    """Counts and times what it is told; `expose` writes it for a scrape.

    Belongs to the event loop's thread, as everything that is told about attempts does; secrets
    alone are also removed in others.

    Args:
        directory: the providers; each of its names has its series from the start.
        health: what the gauges of the providers' state show.
        breaker_state: tells how the worst breaker of a provider stands.
        worker: this process, where it is one of several that serve. What is exposed is then the
            sum of all, but for the state of the providers, which is what this one knows of it.
    """

    def __init__(
        self,
        directory: ProviderDirectory,
        health: HealthSource,
        *,
        breaker_state: BreakerState = always_closed,
        worker: Worker | None = None,
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._directory = directory
        keep = in_memory if worker is None else shared_by(worker.number, worker.metrics_folder)
        self._series = Series.in_ledger(Ledger(self.registry, keep))
        self._http = self._series.http
        self._routes = RouteSeries(self._http)
        self._providers = ProvidersSeries(self._series)
        self._redacted: deque[tuple[str, int]] = deque()
        self._begin_series()
        self._exposed = self._own_registry() if worker is None else sum_of(worker.metrics_folder)
        self._exposed.register(StateCollector(directory, health, breaker_state))

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """Every metric in the text format the ``Accept`` header asks for, and its media type."""
        self._add_redactions()
        encode, media_type = choose_encoder(accept)
        return encode(self._exposed), media_type

    def _own_registry(self) -> CollectorRegistry:
        for process_wide in (ProcessCollector, PlatformCollector, GCCollector):
            process_wide(registry=self.registry)
        return self.registry

    def on_start(self, provider: str) -> None:
        """An attempt is in flight."""
        self._providers[provider].in_flight.value += 1

    def on_attempt(self, attempt: Attempt) -> None:
        """Count and time an ended attempt."""
        series, ok = self._providers[attempt.provider], attempt.error_class is None
        outcome = "ok" if ok and not attempt.lost else attempt.outcome
        default = asks_default_model(self._directory, attempt.provider, attempt.model)
        series.in_flight.value -= 1
        series.attempts["default" if default else "other", outcome].value += 1
        timer = series.answered if outcome == "ok" else series.failed
        timer.observe(attempt.total_ms / 1000)
        if attempt.first_token_ms is not None:
            series.first_token.observe(attempt.first_token_ms / 1000)
        if attempt.number > 1:
            series.retries.value += 1
        if attempt.confidence is not None:
            series.confidence.observe(attempt.confidence)
        series.prompt_tokens.value += attempt.usage.prompt
        series.completion_tokens.value += attempt.usage.completion
        if attempt.cost_usd:
            series.cost.value += attempt.cost_usd
        if self._redacted:
            self._add_redactions()
        _charge(attempt)

    def on_cancel(self, provider: str) -> None:
        """Count an attempt that was given up."""
        series = self._providers[provider]
        series.in_flight.value -= 1
        series.cancelled.value += 1
        self._add_redactions()

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """Count a move along the chain."""
        known = reason if reason in FALLBACK_REASONS else "other"
        self._series.attempt.fallbacks.labels(source, target, known).value += 1

    def on_hedge(self, first: str, second: str, outcome: HedgeOutcome) -> None:  # noqa: ARG002 - who was slow is no label
        """Count a provider that was asked beside a slow one."""
        self._providers[second].hedges[outcome].value += 1

    def on_answer(self, response: LLMResponse) -> None:
        """Count an answer that is returned."""
        series = self._providers[response.provider]
        series.answers.value += 1
        if response.assessment is not None and response.assessment.below_threshold:
            series.below_threshold.value += 1

    def on_reload(self, result: str) -> None:
        """Count a reload of the configuration; each provider it brought has its series now.

        Args:
            result: ``applied``, ``unchanged`` or ``rejected``.
        """
        self._series.config.reloads.labels(result).value += 1
        if result != "rejected":
            self._series.config.last_reload.value = time.time()
        self._begin_series()

    def on_probe(self, probe: Probe) -> None:
        """Count a free call."""
        self._providers[probe.provider].probes[probe.outcome].value += 1

    def on_redaction(self, kind: str, count: int = 1) -> None:
        """Count secrets that were removed; ``kind`` is one of the redactor's own words.

        From any thread: they are added up with what comes of the attempt, or for a scrape.
        """
        self._redacted.append((kind, count))

    def on_shed(self, route: str) -> None:
        """Count a request that was refused because too many were in flight."""
        self._http.shed.labels(route).value += 1

    def on_refused(self, route: str, *, status: int, seconds: float) -> None:
        """Count a request that was refused so, before it was one in flight, and time it."""
        self.on_shed(route)
        self._count(route, status, seconds)

    def on_shared(self, seconds: float) -> None:
        """Count a request that waited for an identical one; to it that was a provider's time."""
        self._http.shared.value += 1
        request = current_request()
        if request is not None:
            request.provider_ms += seconds * 1000

    def request_began(self) -> None:
        """A request is in flight."""
        self._http.in_flight.value += 1

    def request_ended(
        self, request: RequestInFlight, *, route: str, status: int, seconds: float
    ) -> None:
        """Count and time a request.

        Args:
            request: the request.
            route: template of its path, such as ``/health/live``.
            status: HTTP status of the response.
            seconds: from its arrival to the end of the response.
        """
        self._http.in_flight.value -= 1
        self._count(route, status, seconds)
        if request.attempts:
            self._http.overhead.observe(max(0.0, seconds - request.provider_ms / 1000))

    def _count(self, route: str, status: int, seconds: float) -> None:
        requests, duration = self._routes[route, status]
        requests.value += 1
        duration.observe(seconds)

    def _add_redactions(self) -> None:
        while self._redacted:
            kind, count = self._redacted.popleft()
            self._series.answer.redactions.labels(kind).value += count

    def _begin_series(self) -> None:
        """Expose the series of every provider there is: to look them up binds them."""
        for name in self._directory.get_all_provider_names():
            self._providers[name]


def _charge(attempt: Attempt) -> None:
    """Put an attempt's time on the account of the request it was made for."""
    request = current_request()
    if request is not None:
        request.attempts += 1
        request.provider_ms += attempt.queue_ms + attempt.total_ms
