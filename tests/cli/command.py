"""The ``faultmaven`` command as a child process, configured by exactly the variables given."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
PATIENCE = 60.0
"""Seconds; a busy machine is slow to start a process."""

COMMAND = (sys.executable, "-m", "faultmaven")
"""The command itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


async def run(*words: str, folder: Path, stdin: str = "", **variables: str) -> Result:
    """Run the command to its end; its files go below ``folder``, where it is started, too."""
    process = await _start(words, folder, variables)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(stdin.encode())
    return Result(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def running(
    *words: str, folder: Path, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command while it runs; killed in the end if it has not ended by then."""
    process = await _start(words, folder, variables)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def environment(folder: Path) -> dict[str, str]:
    """What the command needs of the process's own variables, and its folders below ``folder``."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # noqa: TID251 - a child needs PATH and the like
    ours = {
        "FAULTMAVEN_CACHE_DIR": str(folder / "cache"),
        "FAULTMAVEN_DATA_DIR": str(folder / "data"),
        "LOCAL_MODEL": "off",
        "DRAIN_DELAY": "0",  # no load balancer looks at it
        "PROBE_INTERVAL": "0",
    }
    return {**kept, **ours}


async def _start(
    words: tuple[str, ...], folder: Path, variables: Mapping[str, str]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        cwd=folder,
        env={**environment(folder), **variables},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
