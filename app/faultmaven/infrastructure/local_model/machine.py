"""How much memory and how many cores a new process could use here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from faultmaven.infrastructure.local_model.cgroup import Machine, cpu_quota, memory_left

_KIB: Final = 1024
_MOST_THREADS: Final = 8  # more cost more in waiting for each other than they bring
_HERE: Final = Machine()


def free_memory(machine: Machine = _HERE) -> int | None:
    """Bytes a new process can take without swapping; ``None`` where the kernel does not say."""
    available = _available(machine)
    if available is None:
        return None
    left = memory_left(machine)
    return available if left is None else min(available, left)


def usable_cores(machine: Machine = _HERE) -> int:
    """Cores this process may run on, at least 1; a container's CPU quota counts."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = cpu_quota(machine)
    return max(1, min(allowed or 1, int(quota) if quota is not None else allowed or 1))


@dataclass(frozen=True, slots=True)
class Threads:
    """How many threads the engine gets.

    Attributes:
        writing: for the tokens of an answer, which are bound by memory bandwidth. One core
            stays free: a busy neighbour on one of the cores would stall all of them.
        reading: for the tokens of a prompt, which are bound by computing and come first, so
            they get every core. Measured on two: nearly twice as fast.
    """

    writing: int
    reading: int


def engine_threads(cores: int) -> Threads:
    """Threads for the engine on a machine with so many usable cores."""
    return Threads(writing=min(_MOST_THREADS, max(1, cores - 1)), reading=min(_MOST_THREADS, cores))


def _available(machine: Machine) -> int | None:
    try:
        text = (machine.proc / "meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * _KIB if found else None
