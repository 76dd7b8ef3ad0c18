"""Many waits, one timer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from faultmaven.models.shared_timer import SharedTimer


@dataclass(eq=False)
class Noted:
    """A wait that notes when it was ended."""

    due: float
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Note it, and that it was not before its time."""
        assert time.monotonic() >= self.due
        self.ended.set()


def begun(timer: SharedTimer, seconds: float) -> Noted:
    """A wait that is watched over."""
    wait = Noted(time.monotonic() + seconds)
    timer.watch(wait)
    return wait


async def test_waits_that_end_close_together_are_ended_together() -> None:
    """With a rest between two looks, nobody is forgotten, and nobody ended early."""
    timer = SharedTimer(asyncio.get_running_loop(), rest=0.05)
    waits = [begun(timer, number / 1000) for number in range(30)]
    await asyncio.wait_for(asyncio.gather(*(wait.ended.wait() for wait in waits)), 10)
    assert not timer.waits


async def test_a_wait_that_began_anew_has_all_of_its_time() -> None:
    """What was discarded and is watched over again ends by its new moment."""
    timer = SharedTimer(asyncio.get_running_loop())
    wait = begun(timer, 0.01)
    timer.waits.discard(wait)
    wait.due = time.monotonic() + 0.05
    timer.watch(wait)
    await asyncio.wait_for(wait.ended.wait(), 10)


async def test_a_stopped_timer_ends_nothing() -> None:
    """Until something is watched over again."""
    timer = SharedTimer(asyncio.get_running_loop())
    left = begun(timer, 0.01)
    timer.stop()
    later = begun(timer, 0.02)
    await asyncio.wait_for(later.ended.wait(), 10)
    assert not left.ended.is_set()
