"""Few beginnings in one turn of the event loop, so that no turn becomes long.

Whatever arrives while a turn of the event loop lasts is noticed after it: a probe, a refusal, an
answer of an upstream. When everything that arrived is begun at once, a turn lasts as long as all
of it together, as much arrives meanwhile, and it stays that way for as long as the load lasts.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Lets a few begin in each turn of the event loop; the others follow in later ones, in order.

    Args:
        each: most that begin in one turn.
    """

    def __init__(self, each: int) -> None:
        self.each = each
        self._begun = 0
        self._counting: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def come(self) -> None:
        """Wait for the turn to begin in; at once if few have begun in this one."""
        loop = asyncio.get_running_loop()
        if self._counting is not loop:
            if self._counting is not None:  # it ended before its turn did
                self._begun, self._waiting = 0, deque()
            self._counting = loop
            loop.call_soon(self._pass_over, loop)
        if self._begun < self.each and not self._waiting:
            self._begun += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _pass_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """The next turn has come."""
        self._begun = 0
        while self._waiting and self._begun < self.each:
            turn = self._waiting.popleft()
            if not turn.done():  # else its caller has left
                turn.set_result(None)
                self._begun += 1
        self._counting = loop if self._begun else None
        if self._begun:
            loop.call_soon(self._pass_over, loop)
