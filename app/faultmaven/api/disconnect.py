"""Work that ends when the caller leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from faultmaven.api.refusals import ClientGoneError
from faultmaven.models.departure import Tell

Result = TypeVar("Result")


async def unless_gone(
    receive: Receive, work: Coroutine[Any, Any, Result], *, tell: Tell | None = None
) -> Result:
    """The result of ``work``, which is cancelled when the caller hangs up.

    Args:
        receive: the request's channel, its body read: what comes next is the end, and so is
            whatever it raises. It runs in no task of its own: it may wait for futures, locks,
            events and other tasks, but has no use for what asks for the current task, such as
            ``asyncio.timeout``.
        work: what the caller waits for.
        tell: tells of the end in place of the channel.

    Raises:
        ClientGoneError: the caller left first; the work has ended by then.
    """
    lookout = _Lookout(tell or _Channel(receive).tell)
    try:
        return await work
    except asyncio.CancelledError:
        if lookout.is_the_only_reason():
            raise ClientGoneError from None
        raise
    finally:
        lookout.end()


async def _departure(receive: Receive) -> None:
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except (Exception, asyncio.CancelledError):  # noqa: BLE001 - a broken channel has nobody at its end
        return


class _Channel:
    """Tells of a departure by a request's channel.

    It goes on with the coroutine that waits for it whenever what that waits for has come about. For
    a task of its own the event loop would have to turn once to begin it and once more to end it,
    with each request, for a departure that hardly ever comes.
    """

    def __init__(self, receive: Receive) -> None:
        self._departure = _departure(receive)
        self._whom: Callable[[], object] | None = None

    def tell(self, whom: Callable[[], object] | None) -> None:
        """See `Tell`."""
        self._whom = whom
        if whom is None:
            self._departure.close()
        else:
            self._look()

    def _look(self, _come_about: object = None) -> None:
        """Go on up to where it has to wait again."""
        if self._whom is None:
            return
        try:
            awaited = self._departure.send(None)
        except StopIteration:  # not at once: the task may be running, and may just be done
            asyncio.get_running_loop().call_soon(self._whom)
            return
        if awaited is None:  # as `asyncio.sleep(0)` has it: at the loop's next turn
            asyncio.get_running_loop().call_soon(self._look)
        else:
            awaited.add_done_callback(self._look)


class _Lookout:
    """Cancels the task it is made in, once, when the caller leaves; knows whose doing it was."""

    def __init__(self, tell: Tell) -> None:
        self._task = asyncio.current_task()
        self._tell = tell
        self._happened = False
        self._ended = False
        tell(self._interrupt)

    def is_the_only_reason(self) -> bool:
        """Whether the task was cancelled by this, and by nobody else."""
        return self._happened and self._task is not None and self._task.uncancel() == 0

    def end(self) -> None:
        """Let the task go on to something else, undisturbed."""
        self._ended = True
        self._tell(None)

    def _interrupt(self) -> None:
        if self._task is not None and not self._ended:
            self._happened = True
            self._task.cancel()
