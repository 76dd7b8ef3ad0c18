"""What a run has measured, as it is kept in a file."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from bench.speed.machine import Machine


@dataclass(frozen=True, slots=True)
class Throughput:
    """As many requests as so many connections carry.

    Attributes:
        connections: each with one request at a time.
        rates: good answers a second, one value for each round.
        cpu_us: microseconds of the gateway's processor time for each good answer.
        p50_ms: milliseconds within which half the answers came, the median of the rounds.
        p99_ms: and 99 of 100.
        errors: answers of 400 and above, broken connections, time-outs.
        others: share of the gateway's processor that other processes took meanwhile, 0 to 1.
    """

    connections: int
    rates: list[float]
    cpu_us: float
    p50_ms: float
    p99_ms: float
    errors: int
    others: float

    @property
    def rate(self) -> float:
        """Good answers a second, the median of the rounds."""
        return statistics.median(self.rates)


@dataclass(frozen=True, slots=True)
class Latency:
    """Times at a fixed rate.

    Attributes:
        rate: requests a second.
        p50_ms: milliseconds, at the median.
        p99_ms: and 99 of 100 are within.
        cpu_us: microseconds of the gateway's processor time for each request.
        errors: other answers, and none.
        own_ms: what the gateway itself says it added on average, where it does.
        mean_ms: the average, to compare that with.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: int
    own_ms: float | None = None
    mean_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Streaming:
    """Answers token by token.

    Attributes:
        first: times to the first token, at a fixed rate.
        chunks_rate: tokens a second while as many streams as `callers` are open.
        chunk_cpu_us: microseconds of the gateway's processor time for each token then, the
            requests' own share included.
        callers: streams at once.
        errors: streams that did not come to their end then.
    """

    first: Latency
    chunks_rate: float
    chunk_cpu_us: float
    callers: int
    errors: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything measured of one gateway.

    Attributes:
        throughput: by the number of connections.
        latency: at a fixed rate.
        idle_mb: megabytes of memory before the first burst.
        loaded_mb: the most during bursts of up to 256 connections.
        most_mb: the most during any.
        start_seconds: from its start to its first good answer, one value for each start.
        streaming: answers token by token.
        slow: in front of an upstream that takes 50 ms.
    """

    throughput: list[Throughput]
    latency: Latency
    idle_mb: float
    loaded_mb: float
    most_mb: float
    start_seconds: list[float]
    streaming: Streaming | None = None
    slow: Throughput | None = None

    def at(self, connections: int) -> Throughput | None:
        """What was measured with so many connections."""
        return next((one for one in self.throughput if one.connections == connections), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One gateway of the table.

    Attributes:
        name: of the gateway.
        version: that was measured.
        language: it is written in.
        figures: nothing where it could not be measured.
        absent: why not.
        direct_rate: requests a second straight to the upstream just before, at 64 connections:
            how fast the machine was at that time.
    """

    name: str
    version: str
    language: str
    figures: Figures | None = None
    absent: str = ""
    direct_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Direct:
    """The same without a gateway, which is what latencies are compared with."""

    latency: Latency
    first: Latency
    slow: Throughput


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """FaultMaven alone, in one configuration, asked at one route.

    Attributes:
        route: which.
        feature: what is switched on.
        throughput: with 64 connections; of a stream, tokens count.
        compared: the row whose feature it is compared with; empty for none.
    """

    route: str
    feature: str
    throughput: Throughput
    compared: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A run.

    Attributes:
        date: when, ISO 8601 in UTC.
        machine: where.
        tools: versions of the load generator and the upstream.
        scale: share of the full length that was measured.
        direct: without a gateway.
        entries: the gateways.
        features: the second table.
        commit: of FaultMaven, where that is known.
    """

    date: str
    machine: Machine
    tools: Mapping[str, str]
    scale: float
    direct: Direct | None = None
    entries: list[Entry] = field(default_factory=list)
    features: list[FeatureRow] = field(default_factory=list)
    commit: str = ""

    def entry(self, name: str) -> Entry | None:
        """The gateway of that name."""
        return next((one for one in self.entries if one.name == name), None)


def read(file: Path) -> Record:
    """A record from its file.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return TypeAdapter(Record).validate_json(file.read_bytes())


def write(record: Record, file: Path) -> None:
    """Keep a record."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(TypeAdapter(Record).dump_json(record, indent=2) + b"\n")


def together(records: Sequence[Record]) -> Record:
    """Runs as one: the first, with what it lacks from the others.

    Args:
        records: at least one.
    """
    first, *others = records
    for other in others:
        first = replace(
            first,
            direct=first.direct or other.direct,
            entries=first.entries or other.entries,
            features=first.features or other.features,
        )
    return first
