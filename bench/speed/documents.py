"""docs/speed.md and docs/speed.svg, written from a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.speed.chart import chart
from bench.speed.record import Entry, Record, Throughput
from bench.speed.tables import features_table, gateways_table, name_of, number, table
from bench.speed.targets import targets, targets_table
from bench.speed.turns import CONNECTIONS

_METHOD = Path(__file__).with_name("method.md")
_REASONS = Path(__file__).with_name("reasons.md")
_FLAMES = (
    ("flame-before.svg", "before the work on speed"),
    ("flame-after.svg", "after it"),
)


def write_documents(record: Record, *, folder: Path, before: Record | None = None) -> None:
    """Write both.

    Args:
        record: the run.
        folder: where they belong; the flame graphs that are there are linked.
        before: an earlier run, to compare FaultMaven with.
    """
    if record.entries:
        (folder / "speed.svg").write_text(chart(record), encoding="utf-8")
    text = document(record, before=before, flames=_flames(folder))
    (folder / "speed.md").write_text(text, encoding="utf-8")


def document(record: Record, *, before: Record | None = None, flames: str = "") -> str:
    """The page, in Markdown.

    Args:
        record: the run.
        before: an earlier run, to compare FaultMaven with.
        flames: links to flame graphs.
    """
    return "\n\n".join(part.strip() for part in _parts(record, before, flames) if part) + "\n"


def _parts(record: Record, before: Record | None, flames: str) -> Iterator[str]:
    yield "# How fast it is"
    yield _METHOD.read_text(encoding="utf-8")
    yield f"## Measured\n\n{_where(record)}"
    if record.entries:
        yield "![Requests a second of each gateway](speed.svg)"
        yield gateways_table(record)
        yield _absent(record)
        yield f"Processor time for each request, by connections, µs:\n\n{_costs(record)}"
    found = targets(record)
    if found:
        yield f"## What was to be reached\n\n{targets_table(found)}"
        yield _REASONS.read_text(encoding="utf-8")
    if record.features:
        yield f"## What a feature costs\n\n{features_table(record)}"
    if before is not None:
        yield f"## Before and after\n\n{_compared(record, before)}"
    if flames:
        yield f"## Where the time goes\n\n{flames}"


def _where(record: Record) -> str:
    place = record.machine
    tools = ", ".join(f"{name} {version}" for name, version in record.tools.items())
    part = (
        "" if record.scale == 1 else f" Only {record.scale:.0%} of the usual length was measured."
    )
    share = max((kind.others for entry in record.entries for kind in _kinds(entry)), default=0.0)
    return (
        f"{record.date}, {place.processor}, {place.processors} cores, {place.memory_mb:,} MB, "
        f"{place.system}; Python {place.python}, {tools}; FaultMaven at commit "
        f"{record.commit or 'unknown'}.{part} Other work of the machine took at most "
        f"{share:.0%} of the gateway's core."
    )


def _kinds(entry: Entry) -> list[Throughput]:
    return entry.figures.throughput if entry.figures else []


def _absent(record: Record) -> str:
    lines = [f"{one.name} is not in it: {one.absent}." for one in record.entries if one.absent]
    return "\n".join(lines)


def _costs(record: Record) -> str:
    head = ("gateway", *(f"at {count}" for count in CONNECTIONS))
    return table(
        head,
        (
            [name_of(entry), *(number(kind.cpu_us) for kind in _kinds(entry))]
            for entry in record.entries
            if entry.figures
        ),
    )


def _compared(record: Record, before: Record) -> str:
    """FaultMaven then and now; the machine's own speed at both times stands beside it."""
    head = (
        "FaultMaven",
        *(f"requests/s, {count}" for count in CONNECTIONS),
        *(f"CPU µs, {count}" for count in CONNECTIONS),
        "straight to the upstream, requests/s",
    )
    return table(head, [_line(before), _line(record), _times(record, before)])


def _line(run: Record) -> list[str]:
    entry, kinds = run.entry("FaultMaven"), _ours(run)
    return [
        f"{run.date[:10]}, {run.commit}",
        *(number(kind.rate) for kind in kinds),
        *(number(kind.cpu_us) for kind in kinds),
        number(entry.direct_rate) if entry else "",
    ]


def _times(record: Record, before: Record) -> list[str]:
    """Now beside then: how many times as many, how many times less processor time."""
    pairs = list(zip(_ours(record), _ours(before), strict=True))
    return [
        "times",
        *(number(now.rate / then.rate) if then.rate else "" for now, then in pairs),
        *(number(then.cpu_us / now.cpu_us) if now.cpu_us else "" for now, then in pairs),
        "",
    ]


def _ours(run: Record) -> list[Throughput]:
    entry = run.entry("FaultMaven")
    return _kinds(entry) if entry else []


def _flames(folder: Path) -> str:
    there = ((name, what) for name, what in _FLAMES if (folder / name).exists())
    return "\n\n".join(f"![Flame graph {what}]({name})" for name, what in there)
