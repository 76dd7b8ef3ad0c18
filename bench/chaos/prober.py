"""Asks the simplest question again and again, as an orchestrator would, from its own process.

`python -m bench.chaos.prober PORT SECONDS` writes how many seconds each answer took, as JSON.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from collections.abc import Sequence

from bench import ROOT
from bench.speed.child import pinned

_RATE = 20  # probes a second
_PATIENCE = 30.0  # seconds for one answer
_OK = 200


async def probe(port: int, *, seconds: float, processors: Sequence[int]) -> list[float]:
    """Ask `/health/live` for so long from a process on these processors; how long each took.

    Raises:
        RuntimeError: an answer was not good, or did not come; holds what was said.
    """
    process = await asyncio.create_subprocess_exec(
        *pinned((sys.executable, "-m", "bench.chaos.prober", str(port), str(seconds)), processors),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"a probe failed: {err.decode()[-2000:]}")
    return [float(took) for took in json.loads(out)]


def _main(port: int, seconds: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    started = time.perf_counter()
    took = []
    for number in range(round(seconds * _RATE)):
        time.sleep(max(0.0, started + number / _RATE - time.perf_counter()))
        took.append(_asked(connection))
    print(json.dumps(took))


def _asked(connection: http.client.HTTPConnection) -> float:
    sent = time.perf_counter()
    connection.request("GET", "/health/live")
    answer = connection.getresponse()
    answer.read()
    if answer.status != _OK:
        raise RuntimeError(f"/health/live says {answer.status}")
    return time.perf_counter() - sent


if __name__ == "__main__":
    _main(int(sys.argv[1]), float(sys.argv[2]))
