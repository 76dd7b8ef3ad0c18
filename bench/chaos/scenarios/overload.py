"""More is asked than the service can do: it does what it can, and refuses the rest at once.

First with so few places that they are what bounds it, as they are wherever models take seconds,
then with more, until the processor does. The service has a processor of its own; wrk, the
upstream and a prober, a process each, share the other one.
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
_QUEUE = 16
_PLACES = (16, 64, 256)
_ROUNDS = 3
_ALONE = """
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location = /health/live {{ return 200; }}
        location / {{ add_header x-request-id $http_x_request_id always; return 503; }}
    }}
"""


@dataclass(slots=True)
class _Played:
    """What was measured with so many places.

    Attributes:
        places: how many.
        shares: goodput in parts of the peak, a round each.
        peaks: answers a second at most, a round each.
        floods: what came of too many requests, a round each.
        lives: seconds that probes took meanwhile.
        alone: times of refusals and of probes where nginx stands in the service's place.
    """

    places: int
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
        with_places = f"with {self.places} places"
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
    for places in _PLACES:
        rows += (await _play(places, seconds=seconds)).rows()
    return rows


async def _play(places: int, *, seconds: float) -> _Played:
    played, where = _Played(places), cores()
    async with _service(places, where) as gateway:
        for _ in range(_ROUNDS):
            peak = await _peak(gateway, places, seconds=seconds / 3, where=where)
            one, lives = await _flooded(
                gateway.target, rate=_TIMES * peak, seconds=seconds, where=where
            )
            played.peaks.append(peak)
            played.shares.append(one.goodput / peak)
            played.floods.append(one)
            played.lives += lives
    rate = _TIMES * statistics.median(played.peaks)
    played.alone = await _alone(rate=rate, seconds=seconds / 2, where=where)
    return played


@asynccontextmanager
async def _service(places: int, where: Cores) -> AsyncIterator[Gateway]:
    """The service in front of an upstream that takes its time."""
    bounds = {"MAX_IN_FLIGHT": str(places), "MAX_QUEUE": str(_QUEUE)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            slow_upstream(folder, where.load) as up,
            started(
                FaultMaven(further=bounds), cache=folder, upstream=up.origin, cores=where
            ) as it,
        ):
            yield it


async def _peak(gateway: Gateway, places: int, *, seconds: float, where: Cores) -> float:
    """The most answers a second, with as many callers as there are places, and some that queue."""
    bursts = [
        await burst(
            gateway.target,
            connections=callers,
            seconds=seconds,
            processors=where.load,
            folder=gateway.folder,
        )
        for callers in (places // 2, places, places + _QUEUE)
    ]
    return max(one.rate for one in bursts)


async def _flooded(
    target: Target, *, rate: float, seconds: float, where: Cores
) -> tuple[Flood, list[float]]:
    """What came of a flood, and how long probes took meanwhile."""
    return await asyncio.gather(
        flood(target, rate=rate, seconds=seconds, processors=where.load),
        probe(target.port, seconds=seconds, processors=where.load),
    )


async def _alone(*, rate: float, seconds: float, where: Cores) -> tuple[Times, list[float]]:
    """What wrk and the prober see where nginx refuses everything: what is theirs of the times."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        command = nginx(folder, _ALONE.format(port=port))
        async with running(command, folder=folder, processors=where.gateway) as child:
            await answers_at(port, child)
            target = Target(port, "/v1/chat/completions", {})
            one, lives = await _flooded(target, rate=rate, seconds=seconds, where=where)
    return one.refused, lives


def _each(rates: list[float]) -> str:
    return ", ".join(f"{rate:.0f}" for rate in rates)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
