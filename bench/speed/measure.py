"""What is measured of one gateway by itself."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bench.speed.gateway import Gateway, NotReadyError, direct, started
from bench.speed.loading import (
    Bursts,
    Meter,
    Streams,
    added_between,
    own_overhead,
    paced,
    settled,
)
from bench.speed.machine import Cores
from bench.speed.peers.peer import Peer
from bench.speed.record import Direct, Figures, Latency, Streaming, Throughput

RATE = 100.0
"""Requests a second at which latency is measured."""

STREAMS_RATE = 20.0
"""Streams a second at which the time to the first token is measured."""

STREAMS = 64
"""Streams at once while processor time is measured."""

SLOW_CONNECTIONS = 256
"""Connections in front of the slow upstream."""

_ROUND, _LONGEST = 2.0, 8.0  # seconds


@dataclass(frozen=True, slots=True)
class Extent:
    """How long and how often.

    Attributes:
        scale: share of the full length, above 0 and up to 1.
    """

    scale: float = 1.0

    @property
    def rounds(self) -> int:
        """Rounds at each number of connections."""
        return max(1, round(5 * self.scale))

    def long_enough(self, connections: int, *, rate: float) -> float:
        """Seconds of a round: each connection should get three answers, within reason."""
        needed = 3 * connections / rate if rate else _LONGEST
        return self.seconds(min(_LONGEST, max(_ROUND, needed)))

    def seconds(self, full: float) -> float:
        """So long at full length; at least one."""
        return max(1.0, math.ceil(full * self.scale))


@dataclass(frozen=True, slots=True)
class Stage:
    """What every gateway is measured with.

    Attributes:
        cores: where everything runs.
        cache: where peers are installed.
        prompt: origin of the upstream that answers at once.
        slow: origin of the one that takes its time.
        extent: how long.
        folder: for files of the load generator, where no gateway has one.
    """

    cores: Cores
    cache: Path
    prompt: str
    slow: str
    extent: Extent
    folder: Path


async def alone(peer: Peer, stage: Stage) -> Figures:
    """Everything but throughput; two starts, in front of the prompt upstream and of the slow one.

    Raises:
        NotReadyError: it gives no good answer.
    """
    prompt = await _behind_prompt(peer, stage)
    async with started(peer, cache=stage.cache, upstream=stage.slow, cores=stage.cores) as gateway:
        await warm(gateway, stage)
        streaming = await _streaming_if_it_can(gateway, stage)
        slow = await bursts(gateway, stage, connections=SLOW_CONNECTIONS, rounds=1, full=4)
    return replace(
        prompt,
        streaming=streaming,
        slow=slow,
        start_seconds=[*prompt.start_seconds, round(gateway.start_seconds, 3)],
    )


async def without_gateway(stage: Stage) -> Direct:
    """What latencies are compared with."""
    prompt, slow = direct(stage.prompt), direct(stage.slow)
    seconds = stage.extent.seconds(10)
    return Direct(
        latency=await paced(prompt, rate=RATE, seconds=seconds, cores=stage.cores),
        first=await paced(
            slow.streaming(), rate=STREAMS_RATE, seconds=seconds, cores=stage.cores, first=True
        ),
        slow=await _directly(stage, stage.slow, connections=SLOW_CONNECTIONS),
    )


async def direct_rate(stage: Stage) -> float:
    """How fast the machine is now: requests a second straight to the upstream."""
    return (await _directly(stage, stage.prompt, connections=64)).rate


async def bursts(
    gateway: Gateway, stage: Stage, *, connections: int, rounds: int, full: float
) -> Throughput:
    """Rounds of one kind.

    Args:
        gateway: that is loaded.
        stage: where.
        connections: how many.
        rounds: how many.
        full: seconds of a round at full length.
    """
    kind = Bursts(connections, Meter(gateway.child, stage.cores))
    for _ in range(rounds):
        await kind.play(gateway.target, seconds=stage.extent.seconds(full), folder=gateway.folder)
    return kind.total()


async def _behind_prompt(peer: Peer, stage: Stage) -> Figures:
    async with started(
        peer, cache=stage.cache, upstream=stage.prompt, cores=stage.cores
    ) as gateway:
        idle = round(gateway.child.resident_mb(), 1)
        await warm(gateway, stage)
        latency = await _latency(gateway, stage)
    return Figures(
        throughput=[],
        latency=latency,
        idle_mb=idle,
        loaded_mb=idle,
        most_mb=idle,
        start_seconds=[round(gateway.start_seconds, 3)],
    )


async def warm(gateway: Gateway, stage: Stage) -> Throughput:
    """Let whatever is compiled or opened on first use be so."""
    measured = await bursts(gateway, stage, connections=64, rounds=1, full=2)
    await settled(gateway.child)
    return measured


async def _latency(gateway: Gateway, stage: Stage) -> Latency:
    before = await own_overhead(gateway.target.port)
    measured = await paced(
        gateway.target,
        rate=RATE,
        seconds=stage.extent.seconds(10),
        cores=stage.cores,
        child=gateway.child,
    )
    after = await own_overhead(gateway.target.port)
    return replace(measured, own_ms=added_between(before, after))


async def _streaming_if_it_can(gateway: Gateway, stage: Stage) -> Streaming | None:
    try:
        return await _streaming(gateway, stage)
    except NotReadyError as error:
        print(f"no streams: {error}", file=sys.stderr)
        return None


async def _streaming(gateway: Gateway, stage: Stage) -> Streaming:
    target = gateway.target.streaming()
    first = await paced(
        target,
        rate=STREAMS_RATE,
        seconds=stage.extent.seconds(10),
        cores=stage.cores,
        child=gateway.child,
        first=True,
    )
    kind = Streams(STREAMS, Meter(gateway.child, stage.cores))
    await kind.play(target, seconds=stage.extent.seconds(4), folder=gateway.folder)
    measured = kind.total()
    return Streaming(
        first=first,
        chunks_rate=measured.rate,
        chunk_cpu_us=measured.cpu_us,
        callers=STREAMS,
        errors=measured.errors,
    )


async def _directly(stage: Stage, origin: str, *, connections: int) -> Throughput:
    kind = Bursts(connections, Meter(None, stage.cores))
    seconds = stage.extent.seconds(2)
    await kind.play(direct(origin), seconds=seconds, folder=stage.folder)
    return kind.total()
