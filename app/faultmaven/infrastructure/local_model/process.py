"""A child process that never outlives the block that runs it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

_TAIL_BYTES: Final = 8192
_READ_BYTES: Final = 4096


class ChildProcess:
    """A running child, and the end of what it said on standard error."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._tail = bytearray()
        self._pump = asyncio.create_task(self._keep_tail())

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal, or ``None`` while it runs."""
        return self.process.returncode

    @property
    def last_words(self) -> str:
        """The last lines of standard error."""
        return self._tail.decode(errors="replace").strip()

    async def wait(self) -> int:
        """Wait for the end of the child and of its standard error; give the exit code."""
        code = await self.process.wait()
        await self._pump
        return code

    async def end(self, grace: float) -> None:
        """Ask the child to end, force it after ``grace`` seconds, and reap it."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), grace)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        finally:
            self._pump.cancel()

    async def _keep_tail(self) -> None:
        stream = self.process.stderr
        while stream is not None and (piece := await stream.read(_READ_BYTES)):
            self._tail += piece
            del self._tail[:-_TAIL_BYTES]


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    stdin: int = DEVNULL,
    stdout: int = DEVNULL,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    grace: float = 2.0,
) -> AsyncIterator[ChildProcess]:
    """Run ``command`` for the length of the block; afterwards it is gone, whatever happened.

    The child has a session of its own: a Ctrl-C meant for the service must not reach it
    first.

    Args:
        command: program and arguments.
        stdin: as for :func:`asyncio.create_subprocess_exec`.
        stdout: likewise.
        environment: the child's environment; ``None`` gives it ours.
        folder: its working directory; ``None`` gives it ours.
        grace: seconds between asking it to end and forcing it.

    Raises:
        OSError: the program cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=stdin,
        stdout=stdout,
        stderr=PIPE,
        env=None if environment is None else dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    child = ChildProcess(process)
    try:
        yield child
    finally:
        if child.exit_code is None:
            await child.end(grace)
