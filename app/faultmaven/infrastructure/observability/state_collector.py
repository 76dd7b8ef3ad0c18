"""Gauges that are read when they are scraped: the state of providers and the configuration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from faultmaven.infrastructure.observability.directory import ProviderDirectory
from faultmaven.models.status import ProviderHealth

_UNKNOWN = ProviderHealth()
_STATES = ("unknown", "healthy", "degraded", "down")
_BREAKER_STATES = ("closed", "half_open", "open")

BreakerState = Callable[[str], str]
"""How the worst breaker of a provider stands: ``closed``, ``half_open`` or ``open``."""


def always_closed(_provider: str) -> str:
    """How breakers stand where there are none."""
    return "closed"


class HealthSource(Protocol):
    """Knows what recent attempts and free calls showed."""

    def snapshot(self) -> Mapping[str, ProviderHealth]:
        """The health of every provider that anything was heard of."""
        ...


class StateCollector(Collector):
    """The state of every provider of the schema, as it is at the moment of a scrape."""

    def __init__(
        self,
        directory: ProviderDirectory,
        health: HealthSource,
        breaker_state: BreakerState = always_closed,
    ) -> None:
        self._directory = directory
        self._health = health
        self._breaker_state = breaker_state

    def collect(self) -> Iterator[GaugeMetricFamily | InfoMetricFamily]:
        """The families with their present values."""
        names = self._directory.get_all_provider_names()
        known = self._health.snapshot()
        health = {name: known.get(name, _UNKNOWN) for name in names}
        states = {name: found.state for name, found in health.items()}
        configured = set(self._directory.get_available_providers())
        yield _gauge(
            "faultmaven_provider_configured",
            "1 if the provider has what it needs to be asked.",
            {name: float(name in configured) for name in names},
        )
        yield _gauge(
            "faultmaven_provider_up",
            "1 if the provider is configured and not known to be down.",
            {name: float(name in configured and state != "down") for name, state in states.items()},
        )
        yield _gauge(
            "faultmaven_provider_availability_ratio",
            "Share of the last five minutes' attempts that succeeded; NaN without any.",
            {name: _or_nan(found.availability) for name, found in health.items()},
        )
        yield _gauge(
            "faultmaven_provider_last_success_timestamp_seconds",
            "Unix time at which an attempt last succeeded; NaN without any.",
            {name: _last_success(found) for name, found in health.items()},
        )
        yield _states(
            "faultmaven_provider_state",
            "1 for the state that attempts and free calls show, 0 for the others.",
            states,
            _STATES,
        )
        yield _states(
            "faultmaven_breaker_state",
            "1 for the state of the provider's worst circuit breaker, 0 for the others.",
            {name: self._breaker_state(name) for name in names},
            _BREAKER_STATES,
        )
        yield self._configuration()

    def _configuration(self) -> InfoMetricFamily:
        chain = self._directory.get_fallback_chain()
        family = InfoMetricFamily("faultmaven_config", "What the service is configured with.")
        family.add_metric((), {"primary": chain[0] if chain else "", "chain": ",".join(chain)})
        return family


def _gauge(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=("provider",))
    for provider, value in values.items():
        family.add_metric((provider,), value)
    return family


def _states(
    name: str, text: str, found: Mapping[str, str], states: Sequence[str]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=("provider", "state"))
    for provider, present in found.items():
        for state in states:
            family.add_metric((provider, state), float(state == present))
    return family


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _last_success(health: ProviderHealth) -> float:
    return health.last_success_at.timestamp() if health.last_success_at else math.nan
