"""What was to be reached, and what of it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.speed.features import ONE_WORKER, PLAIN, SIX_PROVIDERS, TWO_WORKERS
from bench.speed.record import Direct, Entry, Figures, Record, Throughput
from bench.speed.tables import added, number, table

_OURS = "FaultMaven"


@dataclass(frozen=True, slots=True)
class Target:
    """One figure and its bound.

    Attributes:
        what: is measured.
        measured: the value.
        wanted: the bound.
        most: whether the bound is the largest good value; else it is the smallest.
        unit: of both.
    """

    what: str
    measured: float
    wanted: float
    most: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within the bound."""
        return self.measured <= self.wanted if self.most else self.measured >= self.wanted


def targets(record: Record) -> list[Target]:
    """Every target that this run can tell about; none where FaultMaven was not measured."""
    ours = record.entry(_OURS)
    if ours is None or ours.figures is None or record.direct is None:
        return []
    kinds = (_beside_others, _steady, _latencies, _streams, _behind_slow, _resources)
    return [
        *(target for kind in kinds for target in kind(ours.figures, record, record.direct)),
        *_features(record),
    ]


def targets_table(found: Sequence[Target]) -> str:
    """As Markdown."""
    head = ("target", "measured", "wanted", "reached")
    return table(head, (_cells(one) for one in found))


def _cells(one: Target) -> list[str]:
    sign = "≤" if one.most else "≥"
    measured, wanted = (
        f"{number(value)} {one.unit}".strip() for value in (one.measured, one.wanted)
    )
    return [one.what, measured, f"{sign} {wanted}", "yes" if one.met else "**no**"]


_Kind = Callable[[Figures, Record, Direct], Iterator[Target]]


def _beside_others(ours: Figures, record: Record, direct: Direct) -> Iterator[Target]:
    del direct
    wanted = (
        ("TensorZero gateway", 1.0),
        ("Ferro gateway", 1.0),
        ("Portkey gateway", 4.0),
        ("LiteLLM proxy", 25.0),
    )
    mine = _rate(ours.at(64))
    for name, times in wanted:
        other = _rate_of(record.entry(name))
        if other:
            what = f"requests/s at 64 connections beside {name}"
            yield Target(what, mine / other, times, unit="times")


def _steady(ours: Figures, record: Record, direct: Direct) -> Iterator[Target]:
    del record, direct
    costs = {count: kind.cpu_us for count in (1, 64, 1000) if (kind := ours.at(count))}
    few, many = _rate(ours.at(64)), _rate(ours.at(256))
    if few and many:
        yield Target("requests/s at 256 beside 64 connections", many / few, 0.95, unit="times")
    if costs.get(64):
        for count in (1, 1000):
            apart = abs(costs.get(count, 0.0) / costs[64] - 1)
            what = f"CPU per request at {count} connections, apart from that at 64"
            yield Target(what, 100 * apart, 20.0, most=True, unit="%")


def _latencies(ours: Figures, record: Record, direct: Direct) -> Iterator[Target]:
    del record
    p50 = added(ours.latency.p50_ms, direct.latency.p50_ms)
    p99 = added(ours.latency.p99_ms, direct.latency.p99_ms)
    yield Target("added at 100 requests/s, half within", p50, 1.0, most=True, unit="ms")
    yield Target("added at 100 requests/s, 99 of 100 within", p99, 3.0, most=True, unit="ms")
    if ours.latency.own_ms is not None:
        outside = added(ours.latency.mean_ms, direct.latency.mean_ms)
        apart = abs(ours.latency.own_ms - outside)
        what = "what the gateway's metric says it added, apart from the above on average"
        yield Target(what, apart, 0.5, most=True, unit="ms")


def _streams(ours: Figures, record: Record, direct: Direct) -> Iterator[Target]:
    del record
    if ours.streaming is None:
        return
    later = added(ours.streaming.first.p50_ms, direct.first.p50_ms)
    yield Target("first token later, half within", later, 1.0, most=True, unit="ms")
    cost = ours.streaming.chunk_cpu_us
    yield Target("CPU per token", cost, 15.0, most=True, unit="µs")


def _behind_slow(ours: Figures, record: Record, direct: Direct) -> Iterator[Target]:
    del record, direct
    if ours.slow is None:
        return
    yield Target("requests/s, 256 in flight behind 50 ms", ours.slow.rate, 2000.0)
    yield Target("errors then", float(ours.slow.errors), 0.0, most=True)


def _resources(ours: Figures, record: Record, direct: Direct) -> Iterator[Target]:
    del record, direct
    yield Target("memory, idle", ours.idle_mb, 120.0, most=True, unit="MB")
    yield Target("memory, up to 256 connections", ours.loaded_mb, 150.0, most=True, unit="MB")
    yield Target("start to first answer", min(ours.start_seconds), 1.0, most=True, unit="s")


def _features(record: Record) -> Iterator[Target]:
    rows = {(row.route, row.feature): row.throughput for row in record.features}
    for route in dict.fromkeys(row.route for row in record.features):
        one, two = (rows.get((route, name)) for name in (ONE_WORKER, TWO_WORKERS))
        if one and two and one.rate:
            what = f"two workers beside one, {route} (the load takes its share of both cores)"
            yield Target(what, two.rate / one.rate, 1.8, unit="times")
        alone, many = (rows.get((route, name)) for name in (PLAIN, SIX_PROVIDERS))
        if alone and many and alone.cpu_us:
            what = "CPU per request with six providers configured beside one"
            yield Target(what, many.cpu_us / alone.cpu_us, 1.2, most=True, unit="times")


def _rate(kind: Throughput | None) -> float:
    return kind.rate if kind else 0.0


def _rate_of(entry: Entry | None) -> float:
    return _rate(entry.figures.at(64)) if entry and entry.figures else 0.0
