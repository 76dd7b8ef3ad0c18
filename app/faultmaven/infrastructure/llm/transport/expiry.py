"""The time that exchanges are given: next to none of them needs all of it."""

from __future__ import annotations

import asyncio
import math
import time

from faultmaven.infrastructure.llm.transport.connection import Connection

_ROUNDED = 0.001  # seconds: event loops count whole milliseconds


class Expiry:
    """Ends the exchanges of one event loop that take too long.

    A timer of its own for each, only to be taken away again, was a fifth of all that an exchange
    costs. Here all have one, set for the one that is due first; when it goes off it is set for the
    next one that is still under way.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[Connection, tuple[float, float]] = {}  # on the monotonic clock; of what
        self._rings = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, connection: Connection, left: float, given: float) -> None:
        """Watch over the exchange that a connection carries, until `end`.

        Args:
            connection: which carries one at a time.
            left: seconds until it expires.
            given: seconds that it had when nothing was done yet, for who is told.
        """
        due = time.monotonic() + left
        self._due[connection] = (due, given)
        if due < self._rings:
            self._set(due)

    def end(self, connection: Connection) -> None:
        """The exchange is over, one way or another."""
        self._due.pop(connection, None)

    def stop(self) -> None:
        """Leave the exchanges alone: their connections are being closed."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._rings, self._timer = math.inf, None

    def _set(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = due
        self._timer = self._loop.call_later(max(due - time.monotonic(), 0.0), self._ring)

    def _ring(self) -> None:
        self._rings, self._timer = math.inf, None
        now = time.monotonic() + _ROUNDED
        for connection, (due, given) in list(self._due.items()):
            if due <= now:
                del self._due[connection]
                connection.expire(given)
        if self._due:
            self._set(min(due for due, _ in self._due.values()))
