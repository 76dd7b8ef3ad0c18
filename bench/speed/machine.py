"""The machine: its processors, and who has which."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """Which processors have which work.

    Attributes:
        gateway: where the gateway runs.
        load: where the load generators and the upstreams run.
    """

    gateway: tuple[int, ...]
    load: tuple[int, ...]

    @property
    def together(self) -> Cores:
        """The gateway on both, beside its load: how two workers are compared with one."""
        both = (*self.gateway, *self.load)
        return Cores(both, both)


@dataclass(frozen=True, slots=True)
class Machine:
    """What measured values depend on.

    Attributes:
        processor: its model.
        processors: how many.
        system: kernel.
        architecture: of the processor.
        python: version and build of the interpreter that runs FaultMaven.
        memory_mb: megabytes of memory.
    """

    processor: str
    processors: int
    system: str
    architecture: str
    python: str
    memory_mb: int


def cores() -> Cores:
    """One processor for the gateway, one for everything else.

    Raises:
        RuntimeError: there are not two.
    """
    free = sorted(os.sched_getaffinity(0))
    if len(free) < 2:  # noqa: PLR2004 - gateway and load
        raise RuntimeError("two processors are needed: one for the gateway, one for the load")
    return Cores(gateway=(free[-1],), load=(free[0],))


def machine() -> Machine:
    """This one."""
    return Machine(
        processor=_told(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        processors=os.cpu_count() or 1,
        system=platform.platform(terse=True),
        architecture=platform.machine(),
        python=" ".join(sys.version.split()),
        memory_mb=int((_told(Path("/proc/meminfo"), "MemTotal") or "0 kB").split()[0]) // 1024,
    )


def busy_seconds(processors: tuple[int, ...]) -> Mapping[int, float]:
    """Seconds each of these processors has worked for processes since the machine started."""
    ticks = os.sysconf("SC_CLK_TCK")
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    wanted = {f"cpu{number}": number for number in processors}
    found = {wanted[words[0]]: words[1:] for words in lines if words and words[0] in wanted}
    return {number: _worked(words) / ticks for number, words in found.items()}


def _worked(words: list[str]) -> int:
    """User, nice, system and stolen time: proc(5), the fields of `/proc/stat`.

    Interrupts are left out: those of the network are nobody's, but the gateway's own doing.
    """
    user, nice, system, _idle, _wait, _irq, _softirq, steal = (int(word) for word in words[:8])
    return user + nice + system + steal


def _told(file: Path, name: str) -> str | None:
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), None)
