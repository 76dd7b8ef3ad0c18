"""A lock between processes that the kernel drops when its holder dies."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

if sys.platform != "win32":  # the engine check keeps Windows from coming here
    import fcntl

_POLL_SECONDS: Final = 0.2


@asynccontextmanager
async def exclusive(path: Path, *, on_wait: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the lock at ``path``; wait, cancellably, while another process has it.

    ``on_wait`` is called whenever the lock was found taken, before waiting again.
    """
    with path.open("w", encoding="ascii") as file:
        while not _try_lock(file.fileno()):
            on_wait()
            await asyncio.sleep(_POLL_SECONDS)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
