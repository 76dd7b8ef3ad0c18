"""Bounds on waits that next to nobody reaches."""

from __future__ import annotations

import asyncio
import math
import time
from types import TracebackType


class TimeLimits:
    """Ends waits that take too long, as `asyncio.timeout` does; one event loop's at a time.

    That sets a timer for each wait, only to take it away again: some forty calls for a request
    that is answered in time. Here all waits have one timer, set for the one that is due first;
    when it goes off it is set for the next one that is still waiting.

    Attributes:
        waits: those that are watched over.
    """

    def __init__(self) -> None:
        self.waits: set[TimeLimit] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rings = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> TimeLimit:
        """A context that whatever is awaited in it has so many seconds to leave.

        Raises:
            TimeoutError: by the context, where it was left because the time was up.
        """
        return TimeLimit(self, time.monotonic() + seconds)

    def watch(self, wait: TimeLimit) -> asyncio.Task[object]:
        """Watch over a wait until it is discarded from `waits`; whose it is.

        Raises:
            RuntimeError: no task is running that could be made to leave.
        """
        # To ask which event loop runs is a system call; a known one is running if its task is.
        loop = self._loop
        task = None if loop is None else asyncio.current_task(loop)
        if loop is None or task is None:
            loop = asyncio.get_running_loop()
            task = self._begin_on(loop)
        self.waits.add(wait)
        if wait.due < self._rings:
            self._set(loop, wait.due)
        return task

    def _begin_on(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[object]:
        """Watch over waits on that event loop; those on another one are over."""
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task's waits can be bounded")
        if loop is not self._loop:
            self._loop, self._rings, self._timer = loop, math.inf, None
            self.waits.clear()
        return task

    def _set(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = due
        self._timer = loop.call_later(max(due - time.monotonic(), 0.0), self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:  # others are watched over by now
            return
        now = time.monotonic()
        for wait in [wait for wait in self.waits if wait.due <= now]:
            self.waits.discard(wait)
            wait.end()
        self._rings, self._timer = math.inf, None
        if self.waits:
            self._set(loop, min(wait.due for wait in self.waits))


class TimeLimit:
    """A bound on waits; a context that may be entered again once it was left.

    Attributes:
        due: when it has to end, on the monotonic clock.
    """

    __slots__ = ("_cancelled_before", "_ended", "_limits", "_task", "due")

    def __init__(self, limits: TimeLimits, due: float) -> None:
        self._limits = limits
        self.due = due

    def __enter__(self) -> None:
        """Begin.

        Raises:
            RuntimeError: no task is running that could be made to leave.
        """
        self._ended = False
        self._task = task = self._limits.watch(self)
        self._cancelled_before = task.cancelling()

    def end(self) -> None:
        """Make the task leave the context."""
        self._ended = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Leave.

        Raises:
            TimeoutError: the time was up, and nobody else had the task cancelled as well.
        """
        self._limits.waits.discard(self)
        if not self._ended:
            return
        by_others = self._task.uncancel() > self._cancelled_before
        if kind is asyncio.CancelledError and not by_others:
            raise TimeoutError from error
