"""Counts what runs on an event loop, in numbers that are the same on every run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from cProfile import Profile
from typing import TypeVarTuple

Given = TypeVarTuple("Given")


class Tally:
    """What was counted.

    Attributes:
        steps: times that the event loop had something to go on with.
    """

    def __init__(self) -> None:
        self.steps = 0
        self._profile = Profile()

    @property
    def calls(self) -> int:
        """Functions called, Python's and C's; going on after an ``await`` is one as well."""
        return sum(entry.callcount for entry in self._profile.getstats())

    def step(self, callback: Callable[[*Given], object], *args: *Given) -> None:
        """Make one step of the loop, and count all that happens in it."""
        self.steps += 1
        self._profile.enable()
        try:
            callback(*args)
        finally:
            self._profile.disable()


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts while it has a tally.

    What it does between two steps depends on how long it waited, so only the steps are watched.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tally: Tally | None = None

    def call_soon(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        """Plan a step."""
        return super().call_soon(self._step, callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        """Plan a step from another thread."""
        return super().call_soon_threadsafe(self._step, callback, *args, context=context)

    def _step(self, callback: Callable[[*Given], object], *args: *Given) -> None:
        if self.tally is None:
            callback(*args)
        else:
            self.tally.step(callback, *args)
