"""Services take turns: each is loaded for seconds, while all others stand still.

A machine changes its speed within minutes. What is measured of one within seconds of the other
can be compared all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.speed.gateway import Gateway, started
from bench.speed.loading import Bursts, Meter, Streams, settled
from bench.speed.measure import Stage, warm
from bench.speed.peers.peer import Peer
from bench.speed.record import Throughput

CONNECTIONS = (1, 64, 256, 1000)
"""How many ask at once."""

FEW = 256
"""Connections up to which memory counts as that of usual load."""

_REHEARSAL = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Carried:
    """What a gateway carried, and what it took.

    Attributes:
        throughput: by the number of connections.
        loaded_mb: the most megabytes of memory with up to 256 connections.
        most_mb: and with any.
    """

    throughput: list[Throughput]
    loaded_mb: float
    most_mb: float


@dataclass(frozen=True, slots=True)
class _Loaded:
    gateway: Gateway
    usual: float
    kinds: tuple[Bursts, ...]

    def carried(self) -> Carried:
        few = [kind.meter.most_mb for kind in self.kinds if kind.connections <= FEW]
        return Carried(
            throughput=[kind.total() for kind in self.kinds],
            loaded_mb=round(max(few), 1),
            most_mb=round(max(kind.meter.most_mb for kind in self.kinds), 1),
        )


async def carried(peers: Sequence[Peer], stage: Stage) -> list[Carried]:
    """Rounds at each number of connections, in which these gateways take turns.

    Args:
        peers: all of which are installed.
        stage: where.

    Raises:
        NotReadyError: one of them gives no good answer.
    """
    async with AsyncExitStack() as stack:
        loaded = [await _ready(peer, stage, stack) for peer in peers]
        for _ in range(stage.extent.rounds):
            for place, count in enumerate(CONNECTIONS):
                for one in loaded:
                    seconds = stage.extent.long_enough(count, rate=one.usual)
                    await take_turn(one.gateway, one.kinds[place], seconds=seconds)
        return [one.carried() for one in loaded]


async def take_turn(gateway: Gateway, kind: Bursts | Streams, *, seconds: float) -> None:
    """One round of a gateway that stands still before and after it.

    A second of the same goes before it: while the gateway stood still, its upstream has closed
    the connections that it had kept.
    """
    gateway.child.go_on()
    await kind.rehearse(gateway.target, seconds=_REHEARSAL, folder=gateway.folder)
    await settled(gateway.child)
    await kind.play(gateway.target, seconds=seconds, folder=gateway.folder)
    await settled(gateway.child)
    gateway.child.rest()


async def _ready(peer: Peer, stage: Stage, stack: AsyncExitStack) -> _Loaded:
    gateway = await stack.enter_async_context(
        started(peer, cache=stage.cache, upstream=stage.prompt, cores=stage.cores)
    )
    usual = (await warm(gateway, stage)).rate
    gateway.child.rest()
    kinds = tuple(Bursts(count, Meter(gateway.child, stage.cores)) for count in CONNECTIONS)
    return _Loaded(gateway, usual, kinds)
