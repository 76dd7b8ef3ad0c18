"""Work that ends when the caller leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from faultmaven.api.refusals import ClientGoneError

Result = TypeVar("Result")


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work``, which is cancelled when the caller hangs up.

    Args:
        receive: the request's channel, its body read: what comes next is the end.
        work: what the caller waits for.

    Raises:
        ClientGoneError: the caller left first; the work has ended by then.
    """
    leaving = asyncio.create_task(_departure(receive))
    interruption = _Interruption()
    leaving.add_done_callback(interruption.caused)
    try:
        return await work
    except asyncio.CancelledError:
        if interruption.is_the_only_one():
            raise ClientGoneError from None
        raise
    finally:
        interruption.too_late = True
        leaving.cancel()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Interruption:
    """Cancels the task it is made in, once, and knows its own cancellation from others'.

    Attributes:
        too_late: whether the task has gone on to something else.
    """

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._happened = False
        self.too_late = False

    def caused(self, cause: asyncio.Task[None]) -> None:
        """What it waits for has come about, unless that was given up."""
        if self._task is not None and not (self.too_late or cause.cancelled()):
            self._happened = True
            self._task.cancel()

    def is_the_only_one(self) -> bool:
        """Whether the task was cancelled by this, and by nobody else."""
        return self._happened and self._task is not None and self._task.uncancel() == 0
