"""The service as a child process, configured by a `.env` file of its own."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import ROOT
from cli.command import environment

_PATIENCE = 60.0  # seconds; for a start, and for an end
_LOOK = 0.02  # seconds between two looks at a file

ADMIN_KEY = "the-operators-own-key"
"""Opens the admin routes."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What the process holds.

    Attributes:
        tasks: of the event loop.
        busy: connections to upstreams that are in use.
        files: open file descriptors, sockets included.
        resident: bytes of memory.
        found: objects so far of which only the garbage collector found out that they are none.
    """

    tasks: int
    busy: int
    files: int
    resident: int
    found: int


@dataclass(slots=True)
class Service:
    """A running service.

    Attributes:
        folder: where it was started; its `.env`, logs and data are there.
        process: the child.
        port: where it listens.
    """

    folder: Path
    process: asyncio.subprocess.Process
    port: int = field(default=0)

    def configure(self, variables: Mapping[str, str]) -> None:
        """Write the `.env` file, in one step."""
        write_env(self.folder, variables)

    async def inside(self) -> Inside:
        """Look into the process."""
        told = json.loads(await self._told(signal.SIGUSR1))
        status = Path(f"/proc/{self.process.pid}")
        pages = int((status / "statm").read_text().split()[1])
        files = len(list((status / "fd").iterdir()))
        return Inside(told["tasks"], told["busy"], files, pages * 4096, told["found"])

    async def reprs(self) -> str:
        """What every object of ours says of itself."""
        return await self._told(signal.SIGUSR2)

    def logs(self) -> str:
        """Everything it has written so far."""
        return "".join(
            (self.folder / name).read_text(encoding="utf-8", errors="replace")
            for name in ("out.txt", "err.txt")
        )

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(_PATIENCE):
            return await self.process.wait()

    async def _told(self, number: signal.Signals) -> str:
        file = self.folder / "spy.txt"
        file.unlink(missing_ok=True)
        self.process.send_signal(number)
        async with asyncio.timeout(_PATIENCE):
            while not file.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(_LOOK)
        return file.read_text(encoding="utf-8")


def write_env(folder: Path, variables: Mapping[str, str]) -> None:
    """Write the `.env` file of a service, in one step."""
    beside = folder / "env.part"
    lines = (f"{name}={value}\n" for name, value in variables.items())
    beside.write_text("".join(lines), encoding="utf-8")
    beside.replace(folder / ".env")


@asynccontextmanager
async def running(variables: Mapping[str, str]) -> AsyncIterator[Service]:
    """Start the service, wait until it can be asked, and end it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_env(folder, variables)
        service = Service(folder, await _start(folder, variables))
        try:
            service.port = await _listening(service)
            yield service
        finally:
            if service.process.returncode is None:
                service.process.kill()
            await service.process.wait()


async def _start(folder: Path, variables: Mapping[str, str]) -> asyncio.subprocess.Process:
    words = ("-m", "bench.chaos.observed", str(folder / "spy.txt"), "serve", "--port", "0")
    with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("wb") as err:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *words),
            cwd=folder,
            env=_environment(folder, variables),
            stdout=out,
            stderr=err,
        )


def _environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The process's own variables; they would hide what the `.env` file says otherwise."""
    usual = {name: value for name, value in environment(folder).items() if name not in variables}
    return {**usual, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


async def _listening(service: Service) -> int:
    async with asyncio.timeout(_PATIENCE):
        while service.process.returncode is None:
            found = re.search(r"answers at http://127\.0\.0\.1:(\d+)", service.logs())
            if found:
                return int(found[1])
            await asyncio.sleep(_LOOK)
    message = f"the service ended: {service.logs()[-2000:]}"
    raise RuntimeError(message)


def exposed(metrics: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels, in Prometheus's text format."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    samples = (line for line in metrics.splitlines() if re.match(rf"{name}[ {{]", line))
    return sum(
        float(line.rpartition(" ")[2]) for line in samples if all(pair in line for pair in wanted)
    )
