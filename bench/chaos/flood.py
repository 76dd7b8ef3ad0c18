"""More requests than a service can take, offered by wrk at a rate of its own (`flood.lua`)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.speed.answers import LAST
from bench.speed.target import Target
from bench.speed.wrk import said_by_wrk

_SCRIPT = Path(__file__).with_name("flood.lua")
_LEAST_CONNECTIONS = 512
_WARM_UP = 1  # seconds


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, many times.

    Attributes:
        tenths: how many took so many tenths of a millisecond.
    """

    tenths: Mapping[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.tenths.values())

    def within(self, share: float) -> float:
        """Seconds within which this share of them was over; not a number where there is none."""
        seen = 0
        for tenths, count in sorted(self.tenths.items()):
            seen += count
            if seen >= share * self.count:
                return (tenths + 1) / 10_000
        return math.nan

    def __add__(self, other: Times) -> Times:
        """Both together."""
        both = {**other.tenths}
        for tenths, count in self.tenths.items():
            both[tenths] = both.get(tenths, 0) + count
        return Times(both)


@dataclass(frozen=True, slots=True)
class Flood:
    """What came of it.

    Attributes:
        seconds: how long was counted.
        good: from sending to the end of each answer.
        refused: from sending to the end of each 503.
        late: from the moment a request was due to the moment it was sent.
        others: other answers, broken connections and time-outs.
    """

    seconds: float
    good: Times
    refused: Times
    late: Times
    others: int

    @property
    def goodput(self) -> float:
        """Answers a second."""
        return self.good.count / self.seconds

    @property
    def offered(self) -> float:
        """Requests a second."""
        return self.late.count / self.seconds


async def flood(
    target: Target, *, connections: int, rate: float, seconds: float, processors: Sequence[int]
) -> Flood:
    """Offer so many requests a second, whatever becomes of them.

    Args:
        target: what is asked; a good answer holds `LAST`.
        connections: many more than are in flight, at least 512 anyway: whoever waits for an answer
            must not keep another from asking.
        rate: requests a second.
        seconds: how long is counted, in whole ones.
        processors: where wrk runs.

    Raises:
        RuntimeError: wrk failed; holds what it said.
    """
    duration = max(1, round(seconds)) + _WARM_UP
    callers = str(max(connections, _LEAST_CONNECTIONS))
    words = ("-t", "1", "-c", callers, "-d", f"{duration}s", "-s", str(_SCRIPT))
    given = (f"{rate:f}", str(_WARM_UP), LAST, json.dumps(target.body))
    return _read(await said_by_wrk(*words, target.url, "--", *given, processors=processors))


def _read(said: str) -> Flood:
    line = said.strip().rpartition("\n")[2]
    if not line.startswith("{"):
        raise RuntimeError(f"wrk failed: {said[-500:]}")
    told = json.loads(line)
    good, refused, late = (Times(dict(told[name])) for name in ("good", "refused", "late"))
    return Flood(told["seconds"], good, refused, late, told["others"])
