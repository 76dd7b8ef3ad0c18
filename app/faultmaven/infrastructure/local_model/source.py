"""Where weights come from: the contract, and what its implementations share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from faultmaven.infrastructure.local_model.partial import PartialWeights

_Result = TypeVar("_Result")

OnBytes = Callable[[int], None]
"""Told how many bytes of the weights are here."""


class SourceError(Exception):
    """A source cannot deliver; the message says why, in one line."""


class Source(Protocol):
    """Somewhere to fetch the weights from."""

    @property
    def name(self) -> str:
        """What to call it in a message."""
        ...

    async def fetch(self, partial: PartialWeights, on_bytes: OnBytes) -> None:
        """Append what is missing, committing often enough for a cut to cost little.

        Raises:
            SourceError: it cannot; what was committed stays.
        """
        ...


async def in_thread(work: Callable[[threading.Event], _Result]) -> _Result:
    """Run blocking ``work`` beside the event loop.

    When cancelled, the event given to ``work`` is set and its end is awaited, so that no
    thread goes on writing behind the caller's back.
    """
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([task])
        raise
