"""Work on texts so long that everybody else would notice it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_LARGE = 100_000  # characters; masking that many takes some 3 ms, a search for quotes as much

P = ParamSpec("P")
T = TypeVar("T")


async def worked(chars: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What pure work on that many characters gives; beside the event loop if they are many."""
    if chars > _LARGE:
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)
