"""A bound on the requests that are served at once, as plain ASGI: beyond it, an error at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NoReturn

from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.api.shedding import Shedding
from faultmaven.errors import OverloadedError
from faultmaven.models.live import Live, now
from faultmaven.models.turns import Turns

BOUNDED = frozenset(
    {
        "/api/v1/query",
        "/api/v1/query/troubleshoot",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/messages",
    }
)
"""The operations that ask providers. Nothing else is ever shed, the operator's least of all."""

_LONGEST_WAIT = 1.0  # seconds in the queue, which only streams that last long let anybody reach
_BEGIN_AT_ONCE = 8  # requests begun in one turn of the event loop; some milliseconds of work
_RETRY_AFTER = 1.0  # seconds; what is in flight ends all the time


class Room:
    """How many requests are served, and who waits for a place; one event loop's.

    Places are given in the order of arrival. Refusing costs nothing, so that a service that is
    offered several times what it can carry still carries as much.

    Args:
        places: most requests that are served at once.
        queue: most requests that wait for a place.
        longest_wait: seconds after which one that waits is refused.
    """

    def __init__(
        self, *, places: Live[int], queue: Live[int], longest_wait: float = _LONGEST_WAIT
    ) -> None:
        self._places = places
        self._queue = queue
        self._longest_wait = longest_wait
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._coming = 0
        self._lately = 0  # places there were when somebody entered last
        self.taken = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    @property
    def is_half_taken(self) -> bool:
        """Whether so much is going on that it may soon be full."""
        return 2 * self.taken > self._lately

    @property
    def is_full(self) -> bool:
        """Whether whoever enters now is refused at once."""
        if self.taken + self._coming < self._lately and not self._waiting:
            return False
        free = max(0, now(self._places) - self.taken)
        return len(self._waiting) + self._coming >= now(self._queue) + free

    def expect(self) -> None:
        """Count somebody who was let in and will enter in this turn of the event loop.

        Dozens arrive in one turn. Only the tasks that serve them take places, if need be when the
        turn is over, and those for whom none is left would be refused late, and at a higher price.
        """
        if not self._coming:
            # The tasks of this turn begin behind it, in order, and nobody arrives in between.
            asyncio.get_running_loop().call_soon(self._forget)
        self._coming += 1

    def _forget(self) -> None:
        self._coming = 0

    async def enter(self) -> None:
        """Take a place, or wait in the queue for one; `leave` gives it back.

        Raises:
            OverloadedError: the queue is full as well, or did not move for too long.
        """
        if self._coming:
            self._coming -= 1
        self._fill()
        places = self._lately = now(self._places)
        if self.taken < places and not self._waiting:
            self.taken += 1
            return
        if self.is_full:
            _refuse()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait({turn}, timeout=self._longest_wait)
        except asyncio.CancelledError:
            self._forgo(turn)
            raise
        if not turn.done():
            self._waiting.remove(turn)
            _refuse()

    def leave(self) -> None:
        """Give a place back, to who waits longest if anybody does."""
        self.taken -= 1
        self._fill()

    def _fill(self) -> None:
        """Give free places to those who wait; a reload may have made more of them."""
        while self._waiting and self.taken < now(self._places):
            self.taken += 1
            self._waiting.popleft().set_result(None)

    def _forgo(self, turn: asyncio.Future[None]) -> None:
        if turn.done():
            self.leave()
        else:
            self._waiting.remove(turn)


class AdmissionMiddleware:
    """Gives every request that will ask a provider a place until its answer has ended.

    A refused one is answered at once, in the form of its protocol; no byte of its body is read.

    Args:
        app: what comes next.
        room: the places.
        on_shed: told the operation of each refused request.

    Attributes:
        shedding: how refusals are written.
    """

    def __init__(self, app: ASGIApp, *, room: Room, on_shed: Callable[[str], None]) -> None:
        self._app = app
        self._room = room
        self._on_shed = on_shed
        self.shedding = Shedding(_overloaded())
        self._turns = Turns(_BEGIN_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only requests that ask a provider are bounded."""
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path not in BOUNDED or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            await self._room.enter()
        except OverloadedError:
            self._on_shed(path)
            await self.shedding.refuse(path, scope, send)
            return
        try:
            if self._room.taken > _BEGIN_AT_ONCE and self._room.is_half_taken:
                await self._turns.come()
            await self._app(scope, receive, send)
        finally:
            self._room.leave()


def _refuse() -> NoReturn:
    raise _overloaded()


def _overloaded() -> OverloadedError:
    return OverloadedError(
        "The service has as many requests in flight as it takes.",
        retry_after=_RETRY_AFTER,
        hint="Ask again in a second; whoever runs it can raise MAX_IN_FLIGHT.",
    )
