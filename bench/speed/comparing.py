"""The gateways: each by itself, then in turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.speed.gateway import NotReadyError
from bench.speed.installing import NotInstallableError
from bench.speed.measure import Stage, alone, direct_rate, without_gateway
from bench.speed.peers.peer import Peer
from bench.speed.record import Entry, Figures, Record
from bench.speed.turns import Carried, carried


async def compared(record: Record, peers: Sequence[Peer], stage: Stage) -> Record:
    """Measure each; one that cannot be had or gives no answer says why instead.

    Args:
        record: what is known before.
        peers: which.
        stage: where.
    """
    direct = await without_gateway(stage)
    entries = [await _told(peer, stage) for peer in peers]
    able = [peer for peer, entry in zip(peers, entries, strict=True) if entry.figures]
    taken = iter(await carried(able, stage))
    entries = [
        replace(entry, figures=_with(entry.figures, next(taken))) if entry.figures else entry
        for entry in entries
    ]
    return replace(record, direct=direct, entries=entries)


def _with(figures: Figures, taken: Carried) -> Figures:
    return replace(
        figures,
        throughput=taken.throughput,
        loaded_mb=taken.loaded_mb,
        most_mb=taken.most_mb,
    )


async def _told(peer: Peer, stage: Stage) -> Entry:
    begun = time.monotonic()
    entry = await _entry(peer, stage)
    spent = time.monotonic() - begun
    print(f"{peer.name}: {spent:.0f} s. {entry.absent}", file=sys.stderr, flush=True)
    return entry


async def _entry(peer: Peer, stage: Stage) -> Entry:
    try:
        await peer.install(stage.cache)
        rate = await direct_rate(stage)
        measured = await alone(peer, stage)
    except NotInstallableError as error:
        return Entry(peer.name, peer.version, peer.language, absent=f"not installable: {error}")
    except NotReadyError as error:
        return Entry(peer.name, peer.version, peer.language, absent=str(error))
    return Entry(peer.name, peer.version, peer.language, figures=measured, direct_rate=rate)
