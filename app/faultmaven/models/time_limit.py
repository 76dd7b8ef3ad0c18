"""Bounds on waits that next to nobody reaches."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from faultmaven.models.shared_timer import SharedTimer


class TimeLimits:
    """Ends waits that take too long, as `asyncio.timeout` does; one event loop's at a time.

    That sets a timer for each wait, only to take it away again: some forty calls for a request
    that is answered in time. Here all waits share one.
    """

    def __init__(self) -> None:
        self._timer: SharedTimer | None = None

    def within(self, seconds: float) -> TimeLimit:
        """A context that whatever is awaited in it has so many seconds to leave.

        Raises:
            TimeoutError: by the context, where it was left because the time was up.
        """
        return TimeLimit(self, time.monotonic() + seconds)

    def watch(self, wait: TimeLimit) -> asyncio.Task[object]:
        """Watch over a wait until it is discarded; whose it is.

        Raises:
            RuntimeError: no task is running that could be made to leave.
        """
        # To ask which event loop runs is a system call; a known one is running if its task is.
        timer = self._timer
        task = None if timer is None else asyncio.current_task(timer.loop)
        if timer is None or task is None:
            timer, task = self._begin_on(asyncio.get_running_loop())
        timer.watch(wait)
        return task

    def discard(self, wait: TimeLimit) -> None:
        """Watch over it no more."""
        if self._timer is not None:
            self._timer.waits.discard(wait)

    def _begin_on(
        self, loop: asyncio.AbstractEventLoop
    ) -> tuple[SharedTimer, asyncio.Task[object]]:
        """Watch over waits on that event loop; those on another one are over."""
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task's waits can be bounded")
        if self._timer is None or self._timer.loop is not loop:
            self._timer = SharedTimer(loop)
        return self._timer, task


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
        self._limits.discard(self)
        if not self._ended:
            return
        by_others = self._task.uncancel() > self._cancelled_before
        if kind is asyncio.CancelledError and not by_others:
            raise TimeoutError from error
