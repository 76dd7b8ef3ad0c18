"""Our families beside the client library's own: nobody who scrapes can tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    enable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from faultmaven.infrastructure.observability.counts import Keep, in_memory
from faultmaven.infrastructure.observability.families import (
    CounterFamily,
    GaugeFamily,
    HistogramFamily,
    Ledger,
)
from faultmaven.infrastructure.observability.shared_values import shared_by, sum_of

BOUNDS = (0.05, 1, 2.5, 10)
Event = tuple[str, str, float]
"""A kind of family, the label of a series, and an amount."""

# Quarters, so that sums are exact in any order; each bound from both sides, and beyond the last.
_AMOUNTS = st.integers(0, 50).map(lambda n: n / 4) | st.sampled_from(BOUNDS)
_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["counter", "gauge", "histogram"]),
        st.sampled_from(["a", 'quoted "b"\\\n']),
        _AMOUNTS,
    )
)


class Ours:
    """Families of ours, told of events."""

    def __init__(self, keep: Keep = in_memory) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ledger = Ledger(self.registry, keep)
        self._counter = CounterFamily(ledger, "c", "Counted.", ("who",))
        self._gauge = GaugeFamily(ledger, "g", "Now.", ("who",), mode="livesum")
        self._histogram = HistogramFamily(ledger, "h", "Measured.", ("who",), bounds=BOUNDS)
        self._alone = CounterFamily(ledger, "all", "Counted together.").labels()

    def tell(self, kind: str, who: str, amount: float) -> None:
        """Take an event into account."""
        self._alone.value += 1
        if kind == "counter":
            self._counter.labels(who).value += amount
        elif kind == "gauge":
            self._gauge.labels(who).value -= amount
        else:
            self._histogram.labels(who).observe(amount)


class Library:
    """The same of the client library."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._counter = Counter("c", "Counted.", ("who",), registry=self.registry)
        self._gauge = Gauge("g", "Now.", ("who",), registry=self.registry)
        self._histogram = Histogram(
            "h", "Measured.", ("who",), registry=self.registry, buckets=BOUNDS
        )
        self._alone = Counter("all", "Counted together.", registry=self.registry)

    def tell(self, kind: str, who: str, amount: float) -> None:
        """Take an event into account."""
        self._alone.inc()
        if kind == "counter":
            self._counter.labels(who).inc(amount)
        elif kind == "gauge":
            self._gauge.labels(who).dec(amount)
        else:
            self._histogram.labels(who).observe(amount)


@pytest.fixture(autouse=True)
def _without_start_times() -> Iterator[None]:
    """Leave out the library's second sample of each series, which the service never exposed."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the client leaves it untyped
    yield
    enable_created_metrics()  # type: ignore[no-untyped-call]  # the client leaves it untyped


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
@given(events=_EVENTS)
def test_the_text_is_the_library_s_own(accept: str, events: list[Event]) -> None:
    """Byte for byte, whatever was counted, in each format."""
    write, _ = choose_encoder(accept)
    ours, library = Ours(), Library()
    for event in events:
        ours.tell(*event)
        library.tell(*event)
    assert write(ours.registry) == write(library.registry)


def _samples(families: Iterable[Metric]) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        if family.name != "python_info"
        for sample in family.samples
    }


def test_two_processes_show_what_one_would(tmp_path: Path) -> None:
    """Split among workers, of which one is replaced half way, events add up to the same."""
    alone = Ours()
    for worker in (0, 1, 0):
        served = Ours(shared_by(worker, str(tmp_path)))
        for kind in ("counter", "gauge", "histogram"):
            for amount in (0.25, *BOUNDS, 99.0):
                alone.tell(kind, "a", amount)
                served.tell(kind, "a", amount)
    together = _samples(sum_of(str(tmp_path)).collect())
    assert together == pytest.approx(_samples(alone.registry.collect()))


def test_a_series_needs_each_of_its_labels() -> None:
    """A label too few or too many is a mistake in the program, and told as one."""
    family = CounterFamily(Ledger(CollectorRegistry(), in_memory), "c", "Counted.", ("who",))
    for labels in ((), ("a", "b")):
        with pytest.raises(ValueError, match="who"):
            family.labels(*labels)
