"""Notices that the files of the configuration have changed, and who else asks for a reload."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from faultmaven.services.reloading import Reload, ReloadRejectedError, Trigger

_INTERVAL = 0.5  # seconds; a change is taken over once it has stood for one of them


class FileWatch:
    """Looks at files again and again, and tells when their contents have changed.

    What is still being written is left alone until two looks find the same. A file that is gone
    counts as unchanged: an editor may be replacing it, and a slip must not cost every provider.

    Args:
        paths: the files at present.
        on_change: told after a change.
        interval: seconds between two looks.
    """

    def __init__(
        self,
        paths: Callable[[], Iterable[Path]],
        *,
        on_change: Callable[[], Awaitable[object]],
        interval: float = _INTERVAL,
    ) -> None:
        self._paths = paths
        self._on_change = on_change
        self._interval = interval
        self._known = _digests(paths())
        self._seen = self._known

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.look()

    async def look(self) -> None:
        """Look once."""
        found = await asyncio.to_thread(_digests, list(self._paths()))
        present = {path: digest or self._known.get(path) for path, digest in found.items()}
        settled, self._seen = present == self._seen, present
        if settled and present != self._known:
            self._known = present
            await self._on_change()


class Triggers:
    """The watch and the signal, from the service's start to its end.

    Args:
        reload: reads the configuration again.
        paths: the files of the configuration at present.
    """

    def __init__(self, reload: Reload, *, paths: Callable[[], Iterable[Path]]) -> None:
        self._reload = reload
        self._paths = paths
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self) -> None:
        """Watch the files from now on."""
        watch = FileWatch(self._paths, on_change=lambda: self._try("file"))
        self._begin(watch.run())

    def signalled(self) -> None:
        """Read the configuration again, as soon as the event loop gets to it."""
        self._begin(self._try("signal"))

    async def aclose(self) -> None:
        """End the watch, and whatever is under way."""
        loop = asyncio.get_running_loop()
        tasks = [task for task in self._tasks if task.get_loop() is loop]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, trigger: Trigger) -> None:
        with suppress(ReloadRejectedError):  # it has been logged and counted
            await self._reload(trigger)


def _digests(paths: Iterable[Path]) -> Mapping[Path, str | None]:
    return {path: _digest(path) for path in paths}


def _digest(path: Path) -> str | None:
    """A digest of what stands in the file, or ``None`` where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
