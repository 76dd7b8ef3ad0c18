"""What every source of weights relies on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from faultmaven.infrastructure.local_model.source import in_thread


async def test_blocking_work_gives_its_result() -> None:
    """The result of the work is the result of the call."""
    assert await in_thread(lambda _stop: 5) == 5


async def test_blocking_work_is_stopped_before_the_cancellation_goes_on() -> None:
    """A cancelled call tells its work to stop, and waits until it has."""
    begun, ended = threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        begun.set()
        stop.wait()
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
