"""A task that has begun when it is made."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def begun(work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """A task for ``work``, which is done up to where it first waits for something.

    Else it would begin with the next turn of the event loop, as it does before Python 3.12.
    https://docs.python.org/3/library/asyncio-task.html#eager-task-factory
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)
