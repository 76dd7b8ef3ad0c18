"""Asks whether the service lives, over and over, and tells the longest silence.

`python -m bench.large.pulse PORT` asks every 10 ms until its standard input ends. It is a process
of its own, so that whoever posts the large text does not slow it down.
"""

from __future__ import annotations

import http.client
import json
import select
import sys
import time

_EVERY = 0.01  # seconds


def main() -> None:
    """Ask until told to stop; print the longest times in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
    waits: list[float] = []
    while not select.select([sys.stdin], [], [], _EVERY)[0]:
        started = time.perf_counter()
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        waits.append((time.perf_counter() - started) * 1000)
    ordered = sorted(waits)
    print(json.dumps({"worst_ms": ordered[-1], "median_ms": ordered[len(ordered) // 2]}))


if __name__ == "__main__":
    main()
