"""Families of series, exposed as the client library exposes its own."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from faultmaven.infrastructure.observability.counts import Count, Distribution, Keep, Place

OneSeries = TypeVar("OneSeries")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where families belong.

    Attributes:
        registry: exposes them.
        keep: makes their numbers.
    """

    registry: CollectorRegistry
    keep: Keep


class Family(Collector, Generic[OneSeries]):
    """The series of one name.

    Args:
        ledger: where it belongs.
        name: without the endings of its samples.
        text: what it says.
        labels: names of its labels.
    """

    kind: ClassVar[str]
    mode = ""

    def __init__(self, ledger: Ledger, name: str, text: str, labels: tuple[str, ...] = ()) -> None:
        self._name = name
        self._text = text
        self._labels = labels
        self._keep = ledger.keep
        self._series: dict[tuple[str, ...], OneSeries] = {}
        ledger.registry.register(self)

    def labels(self, *values: str) -> OneSeries:
        """The series with these labels, which is exposed from now on.

        Raises:
            ValueError: these are not as many as the family has.
        """
        series = self._series.get(values)
        if series is None:
            if len(values) != len(self._labels):
                message = f"{self._name} has the labels {self._labels}"
                raise ValueError(message)
            series = self._series[values] = self._begun(values)
        return series

    @abstractmethod
    def _begun(self, values: tuple[str, ...]) -> OneSeries:
        """A series with nothing in it."""

    def _kept(self, ending: str, values: tuple[str, ...], **further: str) -> Count:
        """The number of one sample, which may have further labels."""
        place = Place(
            kind=self.kind,
            family=self._name,
            text=self._text,
            sample=self._name + ending,
            labels=(*self._labels, *further),
            values=(*values, *further.values()),
            mode=self.mode,
        )
        return self._keep(place)


class NumberFamily(Family[Count]):
    """Series that are one number each."""

    ending: ClassVar[str]
    exposed: ClassVar[type[CounterMetricFamily | GaugeMetricFamily]]

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The family as it stands."""
        family = self.exposed(self._name, self._text, labels=self._labels)
        for values, count in self._series.items():
            family.add_metric(values, count.value)
        yield family

    def _begun(self, values: tuple[str, ...]) -> Count:
        return self._kept(self.ending, values)


class CounterFamily(NumberFamily):
    """Numbers that only go up."""

    kind, ending, exposed = "counter", "_total", CounterMetricFamily


class GaugeFamily(NumberFamily):
    """Numbers that say how it is now.

    Args:
        ledger: where it belongs.
        name: of the family and of its samples.
        text: what it says.
        labels: names of its labels.
        mode: what is made of the numbers of several processes, as the client library has it.
    """

    kind, ending, exposed = "gauge", "", GaugeMetricFamily

    def __init__(
        self, ledger: Ledger, name: str, text: str, labels: tuple[str, ...] = (), *, mode: str
    ) -> None:
        super().__init__(ledger, name, text, labels)
        self.mode = mode


class HistogramFamily(Family[Distribution]):
    """How large amounts are.

    Args:
        ledger: where it belongs.
        name: without the endings of its samples.
        text: what it says.
        labels: names of its labels.
        bounds: the largest amount of each bucket but the last, ascending.
    """

    kind = "histogram"

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        text: str,
        labels: tuple[str, ...] = (),
        *,
        bounds: Sequence[float],
    ) -> None:
        super().__init__(ledger, name, text, labels)
        self._bounds = (*map(float, bounds), math.inf)
        self._written = tuple(map(floatToGoString, self._bounds))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The family as it stands."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, amounts in self._series.items():
            buckets = list(zip(self._written, amounts.at_most, strict=True))
            family.add_metric(values, buckets, amounts.total)
        yield family

    def _begun(self, values: tuple[str, ...]) -> Distribution:
        total = self._kept("_sum", values)
        buckets = [self._kept("_bucket", values, le=bound) for bound in self._written]
        return Distribution(self._bounds, buckets, total)
