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
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_departure(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
