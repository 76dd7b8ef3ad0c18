"""Waits that have to end in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.models.time_limit import TimeLimits

Ts = TypeVarTuple("Ts")


async def wait(limits: TimeLimits, seconds: float) -> float:
    """Wait for ever, within so many seconds; gives how many it took to be ended."""
    began = time.monotonic()
    with pytest.raises(TimeoutError), limits.within(seconds):
        await asyncio.Event().wait()
    return time.monotonic() - began


async def test_each_wait_ends_when_its_own_time_is_up() -> None:
    """However many there are, in whatever order they begin, and none before its time."""
    limits = TimeLimits()
    seconds = (0.06, 0.02, 0.1, 0.02, 0.04)
    took = await asyncio.gather(*(wait(limits, each) for each in seconds))
    assert all(each <= late for each, late in zip(seconds, took, strict=True))
    assert max(took) < 5


async def test_what_is_done_in_time_is_left_alone() -> None:
    """Neither itself nor what the task waits for afterwards is disturbed."""
    limits = TimeLimits()
    with limits.within(0.01):
        pass
    await asyncio.sleep(0.03)
    with limits.within(60):
        await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_inner_of_two_waits_does_not_end_the_outer() -> None:
    """A bound within a bound is told by itself."""
    limits = TimeLimits()
    with limits.within(60):
        await wait(limits, 0.01)
        await asyncio.sleep(0)


async def test_who_is_cancelled_as_well_is_not_taken_for_late() -> None:
    """A cancellation by others comes first, though the time was up too."""
    limits = TimeLimits()
    both = asyncio.Event()

    async def late() -> None:
        with limits.within(0.01):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await both.wait()
                raise

    waiting = asyncio.create_task(late())
    await asyncio.sleep(0.05)
    waiting.cancel()
    both.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_error_of_its_own_is_kept() -> None:
    """What goes wrong in time is told as it is."""
    with pytest.raises(KeyError), TimeLimits().within(60):
        raise KeyError


def test_another_event_loop_begins_anew() -> None:
    """What waited on one that is no more keeps nobody on the next one waiting."""
    limits = TimeLimits()

    async def leave_one_waiting() -> None:
        waiting = asyncio.create_task(wait(limits, 60))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leave_one_waiting())
    assert asyncio.run(wait(limits, 0.01)) < 5


def test_no_task_no_bound() -> None:
    """Outside of tasks nothing could be ended, whether or not an event loop is known."""
    limits = TimeLimits()

    async def enter_beside_a_task() -> BaseException | None:
        told: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

        def enter() -> None:
            try:
                limits.within(60).__enter__()
            except RuntimeError as error:
                told.set_result(error)
            else:
                told.set_result(None)

        asyncio.get_running_loop().call_soon(enter)
        return await told

    assert isinstance(asyncio.run(enter_beside_a_task()), RuntimeError)
    assert asyncio.run(wait(limits, 0.01)) < 5
    assert isinstance(asyncio.run(enter_beside_a_task()), RuntimeError)
    with pytest.raises(RuntimeError):
        limits.within(60).__enter__()


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that remembers the timers that were set on it."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[asyncio.TimerHandle] = []

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Remember a timer; `call_later` sets its own by this too."""
        timer = super().call_at(when, callback, *args, context=context)
        self.timers.append(timer)
        return timer

    @property
    def going(self) -> int:
        """How many timers have yet to go off."""
        now = self.time()
        return sum(not timer.cancelled() and timer.when() > now for timer in self.timers)


@given(st.lists(st.integers(min_value=10, max_value=500), min_size=1, max_size=30))
def test_all_waits_have_one_timer(seconds: list[int]) -> None:
    """However many wait, and in whatever order the bounds come that are due first."""

    async def going(loop: CountingLoop) -> list[int]:
        limits = TimeLimits()
        counts = []
        with limits.within(600):
            for each in seconds:
                limits.within(each).__enter__()
                counts.append(loop.going)
        return counts

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        assert runner.run(going(loop)) == [1] * len(seconds)
