"""A gateway is loaded, and what that costs it is measured."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from bench.chaos.load import quantile
from bench.speed.answers import CHUNKS
from bench.speed.caller import Errand, Outcome, run
from bench.speed.child import Child
from bench.speed.gateway import NotReadyError
from bench.speed.machine import Cores, busy_seconds
from bench.speed.record import Latency, Throughput
from bench.speed.target import Target
from bench.speed.wrk import Burst, burst

_LOOK = 0.2  # seconds between two looks at memory or processor time
_IDLE = 0.2  # share of a processor below which a gateway does nothing
_SETTLES = 75  # looks, so 15 s
_OVERHEAD = r"faultmaven_gateway_overhead_seconds_{}(?:{{[^}}]*}})? (\S+)"


@dataclass(slots=True)
class Meter:
    """What a process spends while something is done to it.

    Attributes:
        child: the process; `None` where nothing stands between load and upstream.
        cores: where it runs.
        cpu: seconds of processor time it took.
        most_mb: the most memory seen.
        others: seconds its processors worked for somebody else.
        seconds: how long.
    """

    child: Child | None
    cores: Cores
    cpu: float = 0.0
    most_mb: float = 0.0
    others: float = 0.0
    seconds: float = 0.0
    _watch: asyncio.Task[None] | None = field(default=None)
    _before: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))

    async def __aenter__(self) -> Self:
        """Begin."""
        self._watch = asyncio.ensure_future(self._look())
        self._before = self._now()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Add up."""
        began, cpu, busy = self._before
        ended, cpu_now, busy_now = self._now()
        self.seconds += ended - began
        self.cpu += cpu_now - cpu
        self.others += max(0.0, busy_now - busy - (cpu_now - cpu))
        if self._watch is not None:
            self._watch.cancel()

    @property
    def others_share(self) -> float:
        """Share of its processors that others took, 0 to 1."""
        return min(1.0, self.others / self.seconds / len(self.cores.gateway))

    def _now(self) -> tuple[float, float, float]:
        cpu = self.child.cpu_seconds() if self.child else 0.0
        return time.perf_counter(), cpu, sum(busy_seconds(self.cores.gateway).values())

    async def _look(self) -> None:
        while self.child is not None:
            self.most_mb = max(self.most_mb, self.child.resident_mb())
            await asyncio.sleep(_LOOK)


@dataclass(slots=True)
class Bursts:
    """Rounds with as many connections, one after the other.

    Attributes:
        connections: how many.
        meter: what they cost.
        rounds: what came of each.
    """

    connections: int
    meter: Meter
    rounds: list[Burst] = field(default_factory=list)

    async def play(self, target: Target, *, seconds: float, folder: Path) -> None:
        """One more round."""
        async with self.meter:
            one = await self._burst(target, seconds, folder)
        self.rounds.append(one)

    async def rehearse(self, target: Target, *, seconds: float, folder: Path) -> None:
        """A round that does not count."""
        await self._burst(target, seconds, folder)

    async def _burst(self, target: Target, seconds: float, folder: Path) -> Burst:
        return await burst(
            target,
            connections=self.connections,
            seconds=seconds,
            processors=self.meter.cores.load,
            folder=folder,
        )

    def total(self) -> Throughput:
        """All rounds."""
        good = sum(one.good for one in self.rounds)
        return Throughput(
            connections=self.connections,
            rates=[round(one.rate, 1) for one in self.rounds],
            cpu_us=per(self.meter.cpu, good),
            p50_ms=statistics.median(one.p50_ms for one in self.rounds),
            p99_ms=statistics.median(one.p99_ms for one in self.rounds),
            errors=sum(one.errors for one in self.rounds),
            others=round(self.meter.others_share, 3),
        )


async def settled(child: Child) -> None:
    """Wait until it has done with requests whose callers have left; not for ever."""
    for _ in range(_SETTLES):
        before = child.cpu_seconds()
        await asyncio.sleep(_LOOK)
        if child.cpu_seconds() - before < _IDLE * _LOOK:
            return


async def paced(
    target: Target,
    *,
    rate: float,
    seconds: float,
    cores: Cores,
    child: Child | None = None,
    first: bool = False,
) -> Latency:
    """Times at a fixed rate.

    Args:
        target: what is asked.
        rate: requests a second.
        seconds: how long.
        cores: where everything runs.
        child: the gateway's process, if there is one.
        first: whether the first token counts instead of the end.

    Raises:
        NotReadyError: there was no good answer.
    """
    meter = Meter(child, cores)
    async with meter:
        outcome = await run(Errand(target, seconds, rate), processors=cores.load)
    values = outcome.first_ms if first else outcome.whole_ms
    if not values:
        raise NotReadyError(f"no good answer to {outcome.errors} requests at {rate}/s")
    return Latency(
        rate=rate,
        p50_ms=quantile(values, 0.5),
        p99_ms=quantile(values, 0.99),
        cpu_us=per(meter.cpu, len(values)),
        errors=outcome.errors,
        mean_ms=statistics.fmean(values),
    )


@dataclass(slots=True)
class Streams:
    """Rounds with so many streams open at once, whose tokens count.

    Attributes:
        callers: how many.
        meter: what they cost.
        rates: tokens a second, one value for each round.
    """

    callers: int
    meter: Meter
    rates: list[float] = field(default_factory=list)
    _tokens: int = 0
    _errors: int = 0

    async def play(self, target: Target, *, seconds: float, folder: Path) -> None:
        """One more round."""
        del folder
        async with self.meter:
            outcome = await self._run(target, seconds)
        tokens = CHUNKS * len(outcome.whole_ms)
        self.rates.append(round(tokens / outcome.seconds, 1))
        self._tokens += tokens
        self._errors += outcome.errors

    async def rehearse(self, target: Target, *, seconds: float, folder: Path) -> None:
        """A round that does not count."""
        del folder
        await self._run(target, seconds)

    async def _run(self, target: Target, seconds: float) -> Outcome:
        errand = Errand(target.streaming(), seconds, callers=self.callers)
        return await run(errand, processors=self.meter.cores.load)

    def total(self) -> Throughput:
        """All rounds."""
        return Throughput(
            connections=self.callers,
            rates=self.rates,
            cpu_us=per(self.meter.cpu, self._tokens),
            p50_ms=0.0,
            p99_ms=0.0,
            errors=self._errors,
            others=round(self.meter.others_share, 3),
        )


def per(seconds: float, count: int) -> float:
    """Microseconds for each; 0 where there was none."""
    return round(1e6 * seconds / count, 1) if count else 0.0


async def own_overhead(port: int) -> tuple[float, float] | None:
    """What the gateway's metric says it has added so far: seconds in all, and requests."""
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            said = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        except httpx.HTTPError:
            return None
    total, count = (_sum(_OVERHEAD.format(name), said) for name in ("sum", "count"))
    return (total, count) if count else None


def _sum(pattern: str, text: str) -> float:
    return sum(float(value) for value in re.findall(pattern, text))


def added_between(before: Sequence[float] | None, after: Sequence[float] | None) -> float | None:
    """Milliseconds a request in between; nothing where the gateway does not tell."""
    if before is None or after is None or after[1] <= before[1]:
        return None
    return 1000 * (after[0] - before[0]) / (after[1] - before[1])
