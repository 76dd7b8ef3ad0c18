"""Memory and cores, as the kernel of a made-up machine tells them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faultmaven.infrastructure.local_model.cgroup import Machine
from faultmaven.infrastructure.local_model.machine import (
    Threads,
    engine_threads,
    free_memory,
    usable_cores,
)

GIB = 1 << 30


def machine(root: Path, files: dict[str, str]) -> Machine:
    """A machine whose kernel shows these files, below ``proc`` and ``cgroup``."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return Machine(proc=root / "proc", cgroup=root / "cgroup")


MEMINFO = {"proc/meminfo": "MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\nCached: 1 kB\n"}
UNIFIED = {"proc/self/cgroup": "0::/a/b\n"}
OLD = {"proc/self/cgroup": "5:cpu,cpuacct:/c\n4:memory:/m\n0::/\n"}


def test_without_limits_the_machine_counts(tmp_path: Path) -> None:
    """Available memory is what the kernel says."""
    assert free_memory(machine(tmp_path, MEMINFO)) == 8 * GIB


def test_without_a_kernel_that_tells_nothing_is_known(tmp_path: Path) -> None:
    """Where there is no such file, memory is unknown rather than zero."""
    assert free_memory(machine(tmp_path, {})) is None
    assert free_memory(machine(tmp_path, {"proc/meminfo": "MemTotal: 1 kB\n"})) is None


def test_the_tightest_limit_counts(tmp_path: Path) -> None:
    """A limit on a group above ours holds for us, less what is used and cannot be dropped."""
    files = {
        "cgroup/a/memory.max": f"{2 * GIB}\n",
        "cgroup/a/memory.current": f"{GIB}\n",
        "cgroup/a/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
        "cgroup/a/b/memory.max": "max\n",
        "cgroup/a/b/memory.current": "1\n",
    }
    found = free_memory(machine(tmp_path, MEMINFO | UNIFIED | files))
    assert found == 2 * GIB - GIB + GIB // 2


def test_old_control_groups_count_too(tmp_path: Path) -> None:
    """The first generation of control groups is understood as well."""
    files = {
        "cgroup/memory/m/memory.limit_in_bytes": f"{3 * GIB}\n",
        "cgroup/memory/m/memory.usage_in_bytes": f"{GIB}\n",
        "cgroup/memory/m/memory.stat": "total_inactive_file 0\n",
        "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
    }
    assert free_memory(machine(tmp_path, MEMINFO | OLD | files)) == 2 * GIB


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        (UNIFIED | {"cgroup/a/cpu.max": "max 100000\n"}, None),
        (UNIFIED | {"cgroup/a/cpu.max": "100000 100000\n"}, 1),
        (UNIFIED | {"cgroup/a/cpu.max": "50000 100000\n"}, 1),
        (OLD | {"cgroup/cpu/c/cpu.cfs_quota_us": "-1\n"}, None),
        (
            OLD
            | {
                "cgroup/cpu/c/cpu.cfs_quota_us": "100000\n",
                "cgroup/cpu/c/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
    ],
)
def test_a_cpu_quota_counts(tmp_path: Path, files: dict[str, str], cores: int | None) -> None:
    """A container's quota bounds the cores; without one, the process's own cores count."""
    assert usable_cores(machine(tmp_path, files)) == (cores or len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(
    ("cores", "writing", "reading"), [(1, 1, 1), (2, 1, 2), (4, 3, 4), (9, 8, 8), (64, 8, 8)]
)
def test_one_core_stays_free_for_writing(cores: int, writing: int, reading: int) -> None:
    """Prompts are read on every core, answers written on all but one; both have a bound."""
    assert engine_threads(cores) == Threads(writing, reading)


def test_this_machine_can_be_read() -> None:
    """On the machine the tests run on, the answers are plausible."""
    found = free_memory()
    assert found is None or found > 0
    assert usable_cores() >= 1
