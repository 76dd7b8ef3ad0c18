"""One timer for all the waits that next to none lasts long enough to need."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Protocol


class Wait(Protocol):
    """Something that may take until a certain moment.

    Attributes:
        due: that moment, on the monotonic clock.
    """

    due: float

    def end(self) -> None:
        """The moment has come."""
        ...


class SharedTimer:
    """Ends waits of one event loop when they are due.

    A timer of the loop's own for each, only to be taken away again, costs more than most of what
    is waited for. Here all have one, set for the wait that is due first; when it goes off it is set
    for the next one that is still there.

    Args:
        loop: the event loop.
        rest: least seconds between two looks at all waits, where many are ended.

    Attributes:
        loop: the event loop.
        waits: those that are watched over; who is discarded from them is left alone.
    """

    __slots__ = ("_handle", "_rest", "_rings", "loop", "waits")

    def __init__(self, loop: asyncio.AbstractEventLoop, *, rest: float = 0.0) -> None:
        self.loop = loop
        self.waits: set[Wait] = set()
        self._rest = rest
        self._rings = math.inf
        self._handle: asyncio.TimerHandle | None = None

    def watch(self, wait: Wait) -> None:
        """Watch over a wait until it is discarded from `waits`."""
        self.waits.add(wait)
        if wait.due < self._rings:
            self._set(wait.due)

    def stop(self) -> None:
        """Leave all of them alone."""
        self.waits.clear()
        if self._handle is not None:
            self._handle.cancel()
        self._rings, self._handle = math.inf, None

    def _set(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._rings = due
        self._handle = self.loop.call_later(max(due - time.monotonic(), 0.0), self._ring)

    def _ring(self) -> None:
        now = time.monotonic()
        self._rings, self._handle = math.inf, None
        for wait in [wait for wait in self.waits if wait.due <= now]:
            self.waits.discard(wait)
            wait.end()
        if self.waits:
            self._set(max(min(wait.due for wait in self.waits), now + self._rest))
