"""Attempts, answers and requests as Prometheus metrics.

Names begin with ``faultmaven_``; seconds, tokens, dollars and ratios; every label comes from a
closed set. Each `Metrics` has a registry of its own, so that two of them never clash.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from faultmaven.infrastructure.observability.directory import ProviderDirectory, asks_default_model
from faultmaven.infrastructure.observability.request import RequestInFlight, current_request
from faultmaven.infrastructure.observability.series import (
    FALLBACK_REASONS,
    ProviderChildren,
    RouteChildren,
    Series,
)
from faultmaven.infrastructure.observability.shared_values import share_values, sum_of
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

    Belongs to the event loop's thread, as everything that is told about attempts does.

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
        if worker is not None:
            share_values(worker.number)
        # The client's start times per series double the exposition and nobody reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the client leaves it untyped
        self.registry = CollectorRegistry(auto_describe=False)
        self._directory = directory
        self._series = Series.in_registry(self.registry)
        self._providers = {
            name: ProviderChildren(name, self._series)
            for name in directory.get_all_provider_names()
        }
        self._routes: dict[tuple[str, int], RouteChildren] = {}
        self._exposed = self._own_registry() if worker is None else sum_of(worker.metrics_folder)
        self._exposed.register(StateCollector(directory, health, breaker_state))

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """Every metric in the text format the ``Accept`` header asks for, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self._exposed), media_type

    def _own_registry(self) -> CollectorRegistry:
        for process_wide in (ProcessCollector, PlatformCollector, GCCollector):
            process_wide(registry=self.registry)
        return self.registry

    def on_start(self, provider: str) -> None:
        """An attempt is in flight."""
        self._children(provider).in_flight.inc()

    def on_attempt(self, attempt: Attempt) -> None:
        """Count and time an ended attempt."""
        children = self._children(attempt.provider)
        children.in_flight.dec()
        children.attempts[self._slot(attempt), attempt.outcome].inc()
        timer = children.answered if attempt.succeeded else children.failed
        timer.observe(attempt.total_ms / 1000)
        if attempt.first_token_ms is not None:
            children.first_token.observe(attempt.first_token_ms / 1000)
        if attempt.number > 1:
            children.retries.inc()
        if attempt.confidence is not None:
            children.confidence.observe(attempt.confidence)
        children.prompt_tokens.inc(attempt.usage.prompt)
        children.completion_tokens.inc(attempt.usage.completion)
        if attempt.cost_usd:
            children.cost.inc(attempt.cost_usd)
        _charge(attempt)

    def on_cancel(self, provider: str) -> None:
        """Count an attempt that was given up."""
        children = self._children(provider)
        children.in_flight.dec()
        children.cancelled.inc()

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """Count a move along the chain."""
        known = reason if reason in FALLBACK_REASONS else "other"
        self._series.attempt.fallbacks.labels(source, target, known).inc()

    def on_hedge(self, first: str, second: str, outcome: HedgeOutcome) -> None:  # noqa: ARG002 - who was slow is no label
        """Count a provider that was asked beside a slow one."""
        self._children(second).hedges[outcome].inc()

    def on_answer(self, response: LLMResponse) -> None:
        """Count an answer that is returned."""
        children = self._children(response.provider)
        children.answers.inc()
        if response.assessment is not None and response.assessment.below_threshold:
            children.below_threshold.inc()

    def on_reload(self, result: str) -> None:
        """Count a reload of the configuration; each provider it brought has its series now.

        Args:
            result: ``applied``, ``unchanged`` or ``rejected``.
        """
        self._series.config.reloads.labels(result).inc()
        if result != "rejected":
            self._series.config.last_reload.set_to_current_time()
        for name in self._directory.get_all_provider_names():
            self._children(name)

    def on_probe(self, probe: Probe) -> None:
        """Count a free call."""
        self._children(probe.provider).probes[probe.outcome].inc()

    def on_redaction(self, kind: str, count: int = 1) -> None:
        """Count secrets that were removed; ``kind`` is one of the redactor's own words."""
        self._series.answer.redactions.labels(kind).inc(count)

    def on_shed(self, route: str) -> None:
        """Count a request that was refused because too many were in flight."""
        self._series.http.shed.labels(route).inc()

    def on_shared(self, seconds: float) -> None:
        """Count a request that waited for an identical one; to it that was a provider's time."""
        self._series.http.shared.inc()
        request = current_request()
        if request is not None:
            request.provider_ms += seconds * 1000

    def request_began(self) -> None:
        """A request is in flight."""
        self._series.http.in_flight.inc()

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
        http = self._series.http
        http.in_flight.dec()
        children = self._routes.get((route, status))
        if children is None:
            children = self._routes[route, status] = RouteChildren(route, status, http)
        children.requests.inc()
        children.duration.observe(seconds)
        if request.attempts:
            http.overhead.observe(max(0.0, seconds - request.provider_ms / 1000))

    def _slot(self, attempt: Attempt) -> str:
        """Which of the closed set of model labels an attempt belongs to."""
        default = asks_default_model(self._directory, attempt.provider, attempt.model)
        return "default" if default else "other"

    def _children(self, provider: str) -> ProviderChildren:
        children = self._providers.get(provider)
        if children is None:
            children = self._providers[provider] = ProviderChildren(provider, self._series)
        return children


def _charge(attempt: Attempt) -> None:
    """Put an attempt's time on the account of the request it was made for."""
    request = current_request()
    if request is not None:
        request.attempts += 1
        request.provider_ms += attempt.queue_ms + attempt.total_ms
