"""A task that has begun when it is made, where Python can do that."""

from __future__ import annotations

import asyncio
import sys

import pytest

from faultmaven.models.begun import begun


async def test_it_goes_on_in_its_own_time() -> None:
    """It is done up to where it waits; what it gives comes when it comes."""
    door, steps = asyncio.Event(), list[str]()

    async def work() -> str:
        steps.append("begun")
        await door.wait()
        return "done"

    task = begun(work())
    assert steps == (["begun"] if sys.version_info >= (3, 12) else [])
    assert not task.done()
    door.set()
    assert await task == "done"
    assert steps == ["begun"]


async def test_what_fails_at_once_fails_for_whoever_waits() -> None:
    """The error is the task's, not that of whoever made it."""

    async def work() -> None:
        raise LookupError("nothing here")

    task = begun(work())
    with pytest.raises(LookupError, match="nothing here"):
        await task
