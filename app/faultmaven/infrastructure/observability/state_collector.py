"""Gauges that are read when they are scraped: the state of providers and the configuration."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from faultmaven.infrastructure.observability.directory import ProviderDirectory
from faultmaven.models.status import ProviderHealth

_UNKNOWN = ProviderHealth()


class HealthSource(Protocol):
    """Knows what recent attempts showed."""

    def snapshot(self) -> Mapping[str, ProviderHealth]:
        """The health of every provider that was asked so far."""
        ...


class StateCollector(Collector):
    """The state of every provider of the schema, as it is at the moment of a scrape."""

    def __init__(self, directory: ProviderDirectory, health: HealthSource) -> None:
        self._directory = directory
        self._health = health

    def collect(self) -> Iterator[GaugeMetricFamily | InfoMetricFamily]:
        """The families with their present values."""
        names = self._directory.get_all_provider_names()
        health = self._health.snapshot()
        configured = set(self._directory.get_available_providers())
        yield _gauge(
            "faultmaven_provider_configured",
            "1 if the provider has what it needs to be asked.",
            {name: float(name in configured) for name in names},
        )
        yield _gauge(
            "faultmaven_provider_up",
            "1 if the provider is configured and not known to be down.",
            {name: float(name in configured and _not_down(health, name)) for name in names},
        )
        yield _gauge(
            "faultmaven_provider_availability_ratio",
            "Share of the last five minutes' attempts that succeeded; NaN without any.",
            {name: _availability(health, name) for name in names},
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


def _not_down(health: Mapping[str, ProviderHealth], name: str) -> bool:
    return health.get(name, _UNKNOWN).state != "down"


def _availability(health: Mapping[str, ProviderHealth], name: str) -> float:
    availability = health.get(name, _UNKNOWN).availability
    return math.nan if availability is None else availability
