"""What is played, by name. Each gives the lines of its part of the table."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping

from bench.chaos.row import Row
from bench.chaos.scenarios.draining import drain
from bench.chaos.scenarios.enduring import endurance
from bench.chaos.scenarios.failing import dead, outage, random_failures
from bench.chaos.scenarios.overload import overload
from bench.chaos.scenarios.recovering import half_open, recovery
from bench.chaos.scenarios.reloading import reload
from bench.chaos.scenarios.secrets import canaries
from bench.chaos.scenarios.stalling import stalls

Scenario = Callable[[float], Coroutine[None, None, list[Row]]]
"""Plays at a scale in (0, 1] and measures."""

SCENARIOS: Mapping[str, Scenario] = {
    "dead": dead,
    "random": random_failures,
    "outage": outage,
    "half-open": half_open,
    "recovery": recovery,
    "stalls": stalls,
    "overload": overload,
    "reload": reload,
    "drain": drain,
    "endurance": endurance,
    "canaries": canaries,
}
"""Every scenario, in the table's order."""
