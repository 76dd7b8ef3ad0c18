"""The gateways one after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.speed.gateway import NotReadyError
from bench.speed.installing import NotInstallableError
from bench.speed.measure import Stage, direct_rate, figures, without_gateway
from bench.speed.peers.peer import Peer
from bench.speed.record import Entry, Record


async def compared(record: Record, peers: Sequence[Peer], stage: Stage) -> Record:
    """Measure each; one that cannot be had or gives no answer says why instead.

    Args:
        record: what is known before.
        peers: which.
        stage: where.
    """
    entries = []
    direct = await without_gateway(stage)
    for peer in peers:
        begun = time.monotonic()
        entries.append(await _entry(peer, stage))
        spent = time.monotonic() - begun
        print(f"{peer.name}: {spent:.0f} s. {entries[-1].absent}", file=sys.stderr, flush=True)
    return replace(record, direct=direct, entries=entries)


async def _entry(peer: Peer, stage: Stage) -> Entry:
    try:
        await peer.install(stage.cache)
        rate = await direct_rate(stage)
        measured = await figures(peer, stage)
    except NotInstallableError as error:
        return Entry(peer.name, peer.version, peer.language, absent=f"not installable: {error}")
    except NotReadyError as error:
        return Entry(peer.name, peer.version, peer.language, absent=str(error))
    return Entry(peer.name, peer.version, peer.language, figures=measured, direct_rate=rate)
