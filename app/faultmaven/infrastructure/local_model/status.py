"""What the embedded model is doing, as told to whoever draws or reports it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

LocalModelState = Literal[
    "starting", "downloading", "loading", "ready", "restarting", "failed", "stopped"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModelStatus:
    """One moment in the life of the embedded model.

    Attributes:
        state: ``failed`` and ``stopped`` are final.
        progress: share of the weights that is here, 0 to 1, while ``downloading``.
        message: one sentence for a person.
        hint: what a person can do about it, or ``None``.
        model: the model's id on the wire.
        base_url: of the server, without ``/v1``; empty unless started.
    """

    state: LocalModelState
    progress: float | None = None
    message: str
    hint: str | None = None
    model: str
    base_url: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in {"failed", "stopped"}


OnStatus = Callable[[LocalModelStatus], None]
"""Told every change, from the event loop; must not block."""


class StatusBoard:
    """The current status, told to one listener and awaited by any number of others.

    Attributes:
        current: the latest status.
    """

    def __init__(self, first: LocalModelStatus, listener: OnStatus) -> None:
        self.current = first
        self._listener = listener
        self._changed = asyncio.Event()

    def post(self, status: LocalModelStatus) -> None:
        """Make ``status`` the current one and tell everybody."""
        self.current = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._listener(status)

    async def settled(self) -> LocalModelStatus:
        """Wait until the model is ready or nothing more will happen."""
        while self.current.state != "ready" and not self.current.is_final:
            await self._changed.wait()
        return self.current
