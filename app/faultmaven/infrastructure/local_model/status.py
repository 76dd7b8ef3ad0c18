"""The current status of the embedded model, for whoever draws, reports or awaits it."""

from __future__ import annotations

import asyncio

from faultmaven.models.status import LocalModelStatus, OnLocalModelStatus


class StatusBoard:
    """The current status, told to one listener and awaited by any number of others.

    Attributes:
        current: the latest status.
    """

    def __init__(self, first: LocalModelStatus, listener: OnLocalModelStatus) -> None:
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
