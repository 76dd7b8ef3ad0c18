"""The processes this one has started and that still exist, as the kernel lists them."""

from __future__ import annotations

import os
from pathlib import Path


def child_pids() -> set[int]:
    """Process ids of our children, zombies included."""
    return {pid for pid in _all_pids() if _parent(pid) == os.getpid()}


def exists(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not reaped does not."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _stat(pid: int) -> list[str]:
    """State, parent and so on; empty for a process that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()
