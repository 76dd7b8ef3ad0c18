"""What the container or slice around this process may use, as Linux control groups say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_V2: Final = ("memory.max", "memory.current", "inactive_file")
_V1: Final = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where the kernel tells about the machine; other paths are for tests.

    Attributes:
        proc: the proc file system.
        cgroup: the root of the control group file system.
    """

    proc: Path = Path("/proc")
    cgroup: Path = Path("/sys/fs/cgroup")


def memory_left(machine: Machine) -> int | None:
    """Bytes left below the tightest memory limit around us, or ``None`` without a limit.

    Page cache that can be dropped counts as free: freshly fetched weights would otherwise
    look like memory in use.
    """
    rooms = [_room(folder, *names) for folder, names in _memory_folders(machine)]
    return min((room for room in rooms if room is not None), default=None)


def cpu_quota(machine: Machine) -> float | None:
    """Cores' worth of CPU time the tightest quota around us grants, or ``None`` without one."""
    quotas = [_quota(folder) for folder in _folders(machine, "", machine.cgroup)]
    quotas += [_quota_v1(f) for f in _folders(machine, "cpu", machine.cgroup / "cpu")]
    return min((quota for quota in quotas if quota is not None), default=None)


def _memory_folders(machine: Machine) -> Iterator[tuple[Path, tuple[str, str, str]]]:
    for folder in _folders(machine, "", machine.cgroup):
        yield folder, _V2
    for folder in _folders(machine, "memory", machine.cgroup / "memory"):
        yield folder, _V1


def _folders(machine: Machine, controller: str, root: Path) -> Iterator[Path]:
    """Our own control group's folder and all above it; limits of each apply."""
    for line in _read(machine.proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            own = root / path.lstrip("/")
            yield from (own, *(p for p in own.parents if p.is_relative_to(root)))


def _room(folder: Path, limit: str, usage: str, droppable: str) -> int | None:
    limit_text, usage_text = _read(folder / limit).strip(), _read(folder / usage).strip()
    if not limit_text.isdigit() or not usage_text.isdigit():
        return None
    stat = dict(line.split(" ", 1) for line in _read(folder / "memory.stat").splitlines())
    return max(0, int(limit_text) - int(usage_text) + int(stat.get(droppable, 0)))


def _quota(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() else None


def _quota_v1(folder: Path) -> float | None:
    quota = _read(folder / "cpu.cfs_quota_us").strip()
    return int(quota) / int(_read(folder / "cpu.cfs_period_us")) if quota.isdigit() else None


def _read(path: Path) -> str:
    """The text of a kernel file; empty where there is none."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
