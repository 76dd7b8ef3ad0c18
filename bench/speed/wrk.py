"""wrk, the load generator: as many requests as so many connections can carry.

https://github.com/wg/wrk: SCRIPTING, for what the script may define.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.speed.child import pinned
from bench.speed.target import Target

_DIFFERENT = 1024
"""Requests that differ from each other: as many as may be in flight at once."""

_SCRIPT = """
local bodies = {{ {bodies} }}
local requests = {{}}
local number = 0

init = function()
  wrk.method = "POST"
  {headers}
  for i, body in ipairs(bodies) do requests[i] = wrk.format(nil, nil, nil, body) end
end

request = function()
  number = number % #requests + 1
  return requests[number]
end

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "slow": %d, ' ..
    '"p50": %d, "p99": %d}}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of it.

    Attributes:
        good: answered below 400.
        seconds: how long.
        errors: answers of 400 and above, broken connections and time-outs.
        p50_ms: milliseconds within which half the answers came.
        p99_ms: and 99 of 100.
    """

    good: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds


async def burst(
    target: Target, *, connections: int, seconds: float, processors: Sequence[int], folder: Path
) -> Burst:
    """Load a target for so long.

    Args:
        target: what is asked.
        connections: each asks again as soon as it has its answer.
        seconds: how long, at least 1; wrk knows whole ones alone.
        processors: where wrk runs.
        folder: for its script.

    Raises:
        RuntimeError: wrk failed; holds what it said.
    """
    script = folder / "load.lua"
    script.write_text(_script(target), encoding="utf-8")
    words = ("-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s")
    return _read(await said_by_wrk(*words, "-s", str(script), target.url, processors=processors))


async def said_by_wrk(*words: str, processors: Sequence[int]) -> str:
    """What wrk says to these words, run on these processors; it gives up an answer after 20 s."""
    process = await asyncio.create_subprocess_exec(
        *pinned(("wrk", "--timeout", "20s", *words), processors),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode(errors="replace")


def _script(target: Target) -> str:
    bodies = ", ".join(_lua(target.content(number).decode()) for number in range(_DIFFERENT))
    headers = {"Content-Type": "application/json", **target.headers}
    set_ones = (f"wrk.headers[{_lua(name)}] = {_lua(text)}" for name, text in headers.items())
    return _SCRIPT.format(bodies=bodies, headers="; ".join(set_ones))


def _lua(text: str) -> str:
    """A string as Lua writes one; JSON's escapes of quotes and backslashes are Lua's, too."""
    return json.dumps(text, ensure_ascii=False)


def _read(said: str) -> Burst:
    line = said.strip().rpartition("\n")[2]
    if not line.startswith("{"):
        raise RuntimeError(f"wrk failed: {said[-500:]}")
    told = json.loads(line)
    return Burst(
        good=told["requests"] - told["refused"],
        seconds=told["microseconds"] / 1e6,
        errors=told["refused"] + told["broken"] + told["slow"],
        p50_ms=told["p50"] / 1000,
        p99_ms=told["p99"] / 1000,
    )
