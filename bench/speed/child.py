"""A process of ours: pinned to processors, measured, ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 10.0  # seconds for an end
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and its descendants.

    Attributes:
        process: the child.
        folder: where it was started; what it writes is there, in `said.txt`.
    """

    process: asyncio.subprocess.Process
    folder: Path

    def said(self) -> str:
        """Everything it has written so far."""
        return (self.folder / "said.txt").read_text(encoding="utf-8", errors="replace")

    def cpu_seconds(self) -> float:
        """Processor time so far, of descendants too, ended ones included."""
        return sum(_cpu_ticks(fields) for fields in self.family()) / _TICKS

    def resident_mb(self) -> float:
        """Megabytes of memory, of descendants too; pages they share count for each."""
        return sum(int(fields[21]) for fields in self.family()) * _PAGE / 2**20

    def rest(self) -> None:
        """Stand still, descendants too, until told to go on."""
        _signal(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Work again."""
        _signal(self.process.pid, signal.SIGCONT)

    def family(self) -> list[list[str]]:
        """The fields of proc(5)'s `stat` after the name, so that number n is at n - 3."""
        everyone = dict(_stats())
        family = {self.process.pid}
        grown = True
        while grown:
            children = {pid for pid, fields in everyone.items() if int(fields[1]) in family}
            grown = not children <= family
            family |= children
        return [everyone[pid] for pid in family if pid in everyone]


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    folder: Path,
    processors: Sequence[int],
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Child]:
    """Start a process on these processors; it is ended with its descendants.

    Args:
        command: program and arguments.
        folder: its working directory and home, which exists.
        processors: where it may run.
        environment: variables beside the usual ones; nothing is inherited.
    """
    with (folder / "said.txt").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *pinned(command, processors),
            cwd=folder,
            env={**_usual(folder), **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield Child(process, folder)
    finally:
        await _end(process)


def pinned(command: Sequence[str], processors: Sequence[int]) -> tuple[str, ...]:
    """A command that runs on these processors alone."""
    return ("taskset", "-c", ",".join(str(number) for number in processors), *command)


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal(process.pid, number)
        _signal(process.pid, signal.SIGCONT)  # whoever stands still hears nothing
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            continue
    _signal(process.pid, signal.SIGKILL)  # descendants that outlived it


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _usual(folder: Path) -> dict[str, str]:
    path = os.pathsep.join(os.get_exec_path())
    return {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def _stats() -> list[tuple[int, list[str]]]:
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        found.append((int(folder.name), text.rpartition(")")[2].split()))
    return found


def _cpu_ticks(fields: list[str]) -> int:
    """User and system time, its own and that of children it has waited for."""
    return sum(int(fields[number]) for number in (11, 12, 13, 14))
