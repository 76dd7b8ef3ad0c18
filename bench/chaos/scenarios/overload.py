"""More is asked than the service can do: it does what it can, and refuses the rest at once.

First with so few places that they are what bounds it, as they are wherever models take seconds;
then as many as it comes with, in front of a quick model; at last the processor is the bound. The
service has a processor of its own; wrk, the upstream and a prober, a process each, share the
other one.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.flood import Flood, Times, flood
from bench.chaos.load import quantile
from bench.chaos.prober import probe
from bench.chaos.row import Row, exactly, share, took
from bench.speed.child import running
from bench.speed.gateway import Gateway, started
from bench.speed.machine import Cores, cores
from bench.speed.peers.faultmaven import FaultMaven
from bench.speed.target import Target
from bench.speed.tools import check_tools
from bench.speed.upstream import answers_at, free_port, nginx, slow_upstream
from bench.speed.wrk import burst

_TIMES = 3
_PLAYS = ((16, 16, 0.05), (64, 16, 0.05), (500, 50, 0.5), (256, 16, 0.05))
"""Places, how many may wait for one, and seconds that the upstream takes."""

_ROUNDS = 3
_ANSWERS = 24  # of each place at least: they come in waves, and one more or less should not count
_ALONE = """
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location = /health/live {{ return 200; }}
        location / {{ add_header x-request-id $http_x_request_id always; return 503; }}
    }}
"""


@dataclass(frozen=True, slots=True)
class _Size:
    """How much the service takes.

    Attributes:
        places: how many requests at once.
        queue: how many wait for a place.
        delay: seconds that the upstream takes for an answer.
    """

    places: int
    queue: int
    delay: float


@dataclass(slots=True)
class _Played:
    """What was measured with so many places.

    Attributes:
        size: how many, and what for.
        shares: goodput in parts of the peak, a round each.
        peaks: answers a second at most, a round each.
        floods: what came of too many requests, a round each.
        lives: seconds that probes took meanwhile.
        alone: times of refusals and of probes where nginx stands in the service's place.
    """

    size: _Size
    shares: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    floods: list[Flood] = field(default_factory=list)
    lives: list[float] = field(default_factory=list)
    alone: tuple[Times, list[float]] = field(default_factory=lambda: (Times(), []))

    def rows(self) -> list[Row]:
        """As lines of the table."""
        refused = sum((one.refused for one in self.floods), Times())
        late = sum((one.late for one in self.floods), Times())
        theirs, probes = self.alone
        other = sum(one.others for one in self.floods)
        size = self.size
        with_places = f"with {size.places} places, answers in {1000 * size.delay:.0f} ms"
        return [
            share(
                "overload",
                f"goodput {with_places}, of peak",
                statistics.median(self.shares),
                0.9,
                note=f"peak {_each(self.peaks)}/s, offered "
                f"{_each([one.offered for one in self.floods])}/s, goodput "
                f"{_each([one.goodput for one in self.floods])}/s",
            ),
            took(
                "overload",
                f"refusals {with_places}, 99 of 100 within",
                refused.within(0.99),
                0.010,
                note=f"{refused.count} of them; median {_ms(refused.within(0.5))}; nginx refuses "
                f"within {_ms(theirs.within(0.99))}, median {_ms(theirs.within(0.5))}; sent late "
                f"by {_ms(late.within(0.99))}",
            ),
            exactly("overload", f"neither answered nor refused {with_places}", other, 0),
            took(
                "overload",
                f"/health/live {with_places}, 99 of 100 within",
                quantile(self.lives, 0.99),
                0.1,
                note=f"{len(self.lives)} probes; median {_ms(quantile(self.lives, 0.5))}; nginx "
                f"answers within {_ms(quantile(probes, 0.99))}",
            ),
        ]


async def overload(scale: float) -> list[Row]:
    """Three times the peak is offered by callers who do not wait for each other."""
    check_tools()
    seconds = max(2.0, 6 * scale)
    rows: list[Row] = []
    for play in _PLAYS:
        rows += (await _play(_Size(*play), seconds=seconds)).rows()
    return rows


async def _play(size: _Size, *, seconds: float) -> _Played:
    played, where = _Played(size), cores()
    least = _ANSWERS * size.delay
    async with _service(size, where) as gateway:
        for _ in range(_ROUNDS):
            peak = await _peak(gateway, size, seconds=max(seconds / 3, least), where=where)
            one, lives = await _flooded(
                gateway.target,
                size,
                rate=_TIMES * peak,
                seconds=max(seconds, least),
                where=where,
            )
            played.peaks.append(peak)
            played.shares.append(one.goodput / peak)
            played.floods.append(one)
            played.lives += lives
    rate = _TIMES * statistics.median(played.peaks)
    played.alone = await _alone(size, rate=rate, seconds=seconds / 2, where=where)
    return played


@asynccontextmanager
async def _service(size: _Size, where: Cores) -> AsyncIterator[Gateway]:
    """The service in front of an upstream that takes its time."""
    bounds = {
        "MAX_IN_FLIGHT": str(size.places),
        "MAX_QUEUE": str(size.queue),
        "PROVIDER_MAX_IN_FLIGHT": str(max(256, size.places)),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            slow_upstream(folder, where.load, delay=size.delay) as up,
            started(
                FaultMaven(further=bounds), cache=folder, upstream=up.origin, cores=where
            ) as it,
        ):
            yield it


async def _peak(gateway: Gateway, size: _Size, *, seconds: float, where: Cores) -> float:
    """The most answers a second, with as many callers as there are places, and some that queue."""
    bursts = [
        await burst(
            gateway.target,
            connections=callers,
            seconds=seconds,
            processors=where.load,
            folder=gateway.folder,
        )
        for callers in (size.places // 2, size.places, size.places + size.queue)
    ]
    return max(one.rate for one in bursts)


async def _flooded(
    target: Target, size: _Size, *, rate: float, seconds: float, where: Cores
) -> tuple[Flood, list[float]]:
    """What came of a flood, and how long probes took meanwhile."""
    return await asyncio.gather(
        flood(
            target,
            connections=2 * (size.places + size.queue),
            rate=rate,
            seconds=seconds,
            processors=where.load,
        ),
        probe(target.port, seconds=seconds, processors=where.load),
    )


async def _alone(
    size: _Size, *, rate: float, seconds: float, where: Cores
) -> tuple[Times, list[float]]:
    """What wrk and the prober see where nginx refuses everything: what is theirs of the times."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        command = nginx(folder, _ALONE.format(port=port))
        async with running(command, folder=folder, processors=where.gateway) as child:
            await answers_at(port, child)
            target = Target(port, "/v1/chat/completions", {})
            one, lives = await _flooded(target, size, rate=rate, seconds=seconds, where=where)
    return one.refused, lives


def _each(rates: list[float]) -> str:
    return ", ".join(f"{rate:.0f}" for rate in rates)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
