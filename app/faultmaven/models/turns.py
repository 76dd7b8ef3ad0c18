"""Few go on in one turn of the event loop, so that no turn becomes long.

Whatever arrives while a turn of the event loop lasts is noticed after it: a probe, a refusal, an
answer of an upstream. When everything that arrived is gone on with at once, a turn lasts as long
as all of it together, as much arrives meanwhile, and it stays that way for as long as the load
lasts.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Lets a few go on in each turn of the event loop; the others follow in later ones, in order.

    Args:
        each: most that go on in one turn.
    """

    def __init__(self, each: int) -> None:
        self.each = each
        self._gone_on = 0
        self._counting: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def come(self) -> None:
        """Wait for the turn to go on in; at once if few have gone on in this one."""
        loop = asyncio.get_running_loop()
        if not self._has_room(loop):
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn

    def wake(self, waiter: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
        """Have whoever waits for something go on, in this turn or a later one.

        Args:
            waiter: what is waited for; it may end otherwise meanwhile.
            loop: the event loop that runs.
        """
        if self._has_room(loop):
            waiter.set_result(None)
        else:
            self._waiting.append(waiter)

    def _has_room(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether one more goes on in this turn, who is counted then."""
        if self._counting is not loop:
            if self._counting is not None:  # it ended before its turn did
                self._gone_on, self._waiting = 0, deque()
            self._counting = loop
            loop.call_soon(self._pass_over, loop)
        if self._gone_on >= self.each or self._waiting:
            return False
        self._gone_on += 1
        return True

    def _pass_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """The next turn has come."""
        self._gone_on = 0
        while self._waiting and self._gone_on < self.each:
            turn = self._waiting.popleft()
            if not turn.done():  # else its caller has left
                turn.set_result(None)
                self._gone_on += 1
        self._counting = loop if self._gone_on else None
        if self._gone_on:
            loop.call_soon(self._pass_over, loop)
