"""Measure one client in this process: name, plain and secure origin, who vouches for it."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench.engines.candidates import CANDIDATES, Client
from bench.engines.upstream import PIECES

_AT_ONCE = (1, 64, 256)
_STREAMS = 32
_ROUNDS = 3  # the quietest counts
_EXCHANGES = 4000  # a round at 64; a client that is slow makes fewer


async def measured(client: Client, plain: str, secure: str) -> dict[str, float]:
    """CPU microseconds an exchange by number at once, and what a stream costs."""
    found: dict[str, float] = {}
    for name, origin in (("plain", plain), ("TLS", secure)):
        figures = await _figures(client, origin)
        found |= {f"{name} {key}": value for key, value in figures.items()}
    found["MB"] = _resident()
    found["threads"] = len(list(Path("/proc/self/task").iterdir()))  # noqa: ASYNC240 - no disk
    return found


async def _figures(client: Client, origin: str) -> dict[str, float]:
    found: dict[str, float] = {}
    pace = await _cpu(lambda: _crowd(client, origin, 64, 640), 640)
    size = int(min(_EXCHANGES, 1e6 / pace))  # a second of CPU
    for crowd in _AT_ONCE:
        count = max(size // crowd, 2) * crowd
        found[f"c={crowd}"] = await _least(client, origin, crowd, count)
    first = [await _first_piece(client, origin) for _ in range(20)]
    found["first piece"] = statistics.median(first) * 1e6
    found["a piece"] = await _least_streaming(client, origin)
    return found


async def _least(client: Client, origin: str, crowd: int, count: int) -> float:
    await _crowd(client, origin, crowd, crowd)  # connects
    rounds = [
        await _cpu(lambda: _crowd(client, origin, crowd, count), count) for _ in range(_ROUNDS)
    ]
    return min(rounds)


async def _least_streaming(client: Client, origin: str) -> float:
    async def listen() -> None:
        await asyncio.gather(*(_heard(client, origin) for _ in range(_STREAMS)))

    return min([await _cpu(listen, _STREAMS * PIECES) for _ in range(_ROUNDS)])


async def _cpu(action: Callable[[], Awaitable[None]], count: int) -> float:
    """CPU microseconds of this process, kernel and threads included, for each of ``count``."""
    before = time.process_time()
    await action()
    return (time.process_time() - before) / count * 1e6


async def _crowd(client: Client, origin: str, crowd: int, count: int) -> None:
    async def ask() -> None:
        for _ in range(count // crowd):
            status, _, body = await client.whole(origin + "/whole")
            assert status == 200  # noqa: PLR2004, S101 - what is measured must have happened
            assert len(body) > 1000  # noqa: PLR2004, S101 - as above

    await asyncio.gather(*(ask() for _ in range(crowd)))


async def _first_piece(client: Client, origin: str) -> float:
    """Seconds until a stream's first piece is there."""
    asked = time.perf_counter()
    took = 0.0
    async for _ in client.pieces(origin + "/stream"):
        took = took or time.perf_counter() - asked
    return took


async def _heard(client: Client, origin: str) -> None:
    async for _ in client.pieces(origin + "/stream"):
        pass


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


async def _main(name: str, plain: str, secure: str, authority: str) -> None:
    client = CANDIDATES[name](Path(authority))
    print(json.dumps(await measured(client, plain, secure)))
    await client.aclose()


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
