"""The two tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.speed.record import Direct, Entry, FeatureRow, Figures, Record, Throughput
from bench.speed.turns import CONNECTIONS


def gateways_table(record: Record) -> str:
    """Every gateway: what it carries, what it adds, what it takes."""
    head = [
        "gateway",
        *(f"requests/s, {count}" for count in CONNECTIONS),
        "CPU µs/request",
        "added at 100/s, p50 / p99, ms",
        "first token later, p50 / p99, ms",
        "CPU µs/token",
        "requests/s, 256 behind 50 ms",
        "memory idle → loaded, MB",
        "start, s",
        "errors",
    ]
    return table(head, (_gateway(entry, record.direct) for entry in record.entries))


def features_table(record: Record) -> str:
    """FaultMaven's routes and features, each beside what it is compared with."""
    head = ["route", "what is on", "per second", "CPU µs each", "compared", "errors"]
    return table(head, (_feature(row, record.features) for row in record.features))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells as a Markdown table; the first column is text, the others are numbers."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def number(value: float) -> str:
    """A number with the digits that mean something."""
    if value >= 100:  # noqa: PLR2004 - from here on, no decimals
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 1 else f"{value:.1f}"


def name_of(entry: Entry) -> str:
    """Name, version and language."""
    return f"{entry.name} {entry.version} ({entry.language})"


def errors_of(figures: Figures) -> int:
    """Everything that went wrong anywhere."""
    kinds = [*figures.throughput, figures.latency, figures.slow, figures.streaming]
    streams = figures.streaming.first.errors if figures.streaming else 0
    return streams + sum(kind.errors for kind in kinds if kind is not None)


def added(value: float, direct: float) -> float:
    """How much later than direct; what lies below the noise is 0."""
    return max(0.0, value - direct)


def _gateway(entry: Entry, direct: Direct | None) -> list[str]:
    measured = entry.figures
    if measured is None or direct is None:
        return [name_of(entry), entry.absent, *("" for _ in range(len(CONNECTIONS) + 7))]
    return [
        name_of(entry),
        *(_rate(measured.at(count)) for count in CONNECTIONS),
        _rate_of_cpu(measured.at(64)),
        *_times(measured, direct),
        _rate(measured.slow),
        f"{number(measured.idle_mb)} → {number(measured.loaded_mb)}",
        number(min(measured.start_seconds)),
        str(errors_of(measured)),
    ]


def _times(measured: Figures, direct: Direct) -> list[str]:
    plain = _pair(
        added(measured.latency.p50_ms, direct.latency.p50_ms),
        added(measured.latency.p99_ms, direct.latency.p99_ms),
    )
    streaming = measured.streaming
    if streaming is None:
        return [plain, "", ""]
    first = _pair(
        added(streaming.first.p50_ms, direct.first.p50_ms),
        added(streaming.first.p99_ms, direct.first.p99_ms),
    )
    return [plain, first, number(streaming.chunk_cpu_us)]


def _feature(row: FeatureRow, rows: Sequence[FeatureRow]) -> list[str]:
    return [
        row.route,
        row.feature,
        number(row.throughput.rate),
        number(row.throughput.cpu_us),
        _compared(row, rows),
        str(row.throughput.errors),
    ]


def _compared(row: FeatureRow, rows: Sequence[FeatureRow]) -> str:
    """Processor time it adds for each, and the ratio of what is carried."""
    other = next(
        (one for one in rows if (one.route, one.feature) == (row.route, row.compared)), None
    )
    if other is None:
        return ""
    more = row.throughput.cpu_us - other.throughput.cpu_us
    return f"{more:+.0f} µs, {row.throughput.rate / other.throughput.rate:.2f} times"


def _rate(kind: Throughput | None) -> str:
    return number(kind.rate) if kind else ""


def _rate_of_cpu(kind: Throughput | None) -> str:
    return number(kind.cpu_us) if kind else ""


def _pair(one: float, other: float) -> str:
    return f"{number(one)} / {number(other)}"
