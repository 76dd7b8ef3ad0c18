"""The connections of one event loop: kept, lent, and limited in number."""

from __future__ import annotations

import asyncio
from collections import deque

from faultmaven.infrastructure.llm.transport.address import Origin
from faultmaven.infrastructure.llm.transport.connection import Connection
from faultmaven.infrastructure.llm.transport.dialing import dial
from faultmaven.infrastructure.llm.transport.seam import PoolLimits
from faultmaven.models.shared_timer import SharedTimer
from faultmaven.models.turns import Turns

_FEW = 2  # exchanges under way, with which nothing is gained by waiting for others' writes
_MANY = 64  # exchanges under way; where there are fewer, a turn in which all end is short enough
_GO_ON_AT_ONCE = 8  # exchanges in one turn of the event loop; some milliseconds of work


class Pool:
    """Connections to any number of origins.

    Whoever borrows a connection gives it back, fit for another exchange or not; that waits for
    nothing, so no cancellation can come between.

    Args:
        limits: how many connections there may be.

    Attributes:
        loop: the event loop.
        timer: ends exchanges that take too long.
    """

    def __init__(self, limits: PoolLimits) -> None:
        self.loop = asyncio.get_running_loop()
        self.timer = SharedTimer(self.loop)
        self._turns = Turns(_GO_ON_AT_ONCE)
        self._limits = limits
        self._open: set[Connection] = set()
        self._kept: dict[Origin, list[Connection]] = {}  # the last used at the end
        self._idle: dict[Connection, None] = {}  # the longest unused first
        self._lent = 0  # or promised
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] | None = None

    @property
    def lent(self) -> int:
        """How many connections somebody has, or is about to get."""
        return self._lent

    @property
    def is_quiet(self) -> bool:
        """Whether hardly anything else is under way."""
        return self._lent <= _FEW

    def lend(self, origin: Origin) -> Connection | None:
        """A connection that was kept, to be given back; ``None`` where there is none."""
        if self._lent >= self._limits.connections:
            return None
        connection = self._fittest(origin)
        if connection is not None:
            self._lent += 1
        return connection

    async def take(self, origin: Origin) -> Connection:
        """A connection, kept or new, to be given back; waits for its turn.

        Raises:
            ProviderConnectionError: none came about.
            ProviderTimeoutError: not in its time.
        """
        await self._turn()
        try:
            return self._fittest(origin) or await self._new(origin)
        except BaseException:
            self._pass_on()
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep the connection if it is fit for another exchange, else close it."""
        if self._closed is None and connection.is_reusable():
            self._keep(connection)
        else:
            connection.abort()
        self._pass_on()

    def discard(self) -> None:
        """Close every connection, now or as soon as the event loop gets to it."""
        if self._closed is None:
            self._closed = self.loop.create_future()
        if self._sweep is not None:
            self._sweep.cancel()
        self.timer.stop()
        for connection in self._open:
            connection.abort()
        self._tell_if_closed()

    async def aclose(self) -> None:
        """Close every connection, and see it closed."""
        self.discard()
        if self._closed is not None:
            await asyncio.shield(self._closed)

    async def _turn(self) -> None:
        """Wait until there may be one exchange more."""
        if self._lent < self._limits.connections:
            self._lent += 1
            return
        turn = self.loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on()  # it came, too late
            raise

    def _pass_on(self) -> None:
        """One exchange is over: the next has its turn."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._lent -= 1

    def _fittest(self, origin: Origin) -> Connection | None:
        """The kept connection that was used last, if it is still of use."""
        kept = self._kept.get(origin)
        while kept:
            connection = kept.pop()
            del self._idle[connection]
            if connection.is_reusable() and connection.is_silent():
                return connection
            connection.abort()
        return None

    async def _new(self, origin: Origin) -> Connection:
        if self._idle and len(self._open) >= self._limits.connections:
            self._close_the_oldest()
        connection = await dial(origin, self._ended)
        connection.wake = self._wake
        if connection.is_open:
            self._open.add(connection)
        if self._closed is not None:
            connection.abort()
        return connection

    def _wake(self, waiter: asyncio.Future[None]) -> None:
        """Have whoever waits for an upstream go on, a few in a turn where there are many."""
        if self._lent > _MANY:
            self._turns.wake(waiter, self.loop)
        else:
            waiter.set_result(None)

    def _keep(self, connection: Connection) -> None:
        connection.idle_since = self.loop.time()
        self._kept.setdefault(connection.origin, []).append(connection)
        self._idle[connection] = None
        if len(self._idle) > self._limits.idle:
            self._close_the_oldest()
        if self._sweep is None:
            self._sweep = self.loop.call_later(self._limits.idle_seconds, self._close_the_old)

    def _close_the_oldest(self) -> None:
        self._close(next(iter(self._idle)))

    def _close(self, idle: Connection) -> None:
        self._forget(idle)
        idle.abort()

    def _forget(self, idle: Connection) -> None:
        del self._idle[idle]
        kept = self._kept[idle.origin]
        kept.remove(idle)
        if not kept:
            del self._kept[idle.origin]

    def _close_the_old(self) -> None:
        """Close what nobody used for long; look again when the next one is due."""
        self._sweep = None
        for connection in list(self._idle):
            due = connection.idle_since + self._limits.idle_seconds
            if due > self.loop.time():
                self._sweep = self.loop.call_at(due, self._close_the_old)
                return
            self._close(connection)

    def _ended(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._forget(connection)
        self._tell_if_closed()

    def _tell_if_closed(self) -> None:
        if self._closed is not None and not self._open and not self._closed.done():
            self._closed.set_result(None)
