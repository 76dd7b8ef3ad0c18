"""Conversations in memory: for one process that need not remember after its end."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from faultmaven.models.session import Session, Turn

_MAX_SESSIONS = 1_000
_MAX_TURNS = 40


class MemorySessionStore:
    """An `ISessionStore` that forgets the session used longest ago when it is full.

    Args:
        max_sessions: most sessions kept.
        max_turns: most turns kept of one session, the latest.
        clock: gives Unix time in seconds.
    """

    def __init__(
        self,
        *,
        max_sessions: int = _MAX_SESSIONS,
        max_turns: int = _MAX_TURNS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._max_sessions = max_sessions
        self._max_turns = max_turns
        self._clock = clock

    async def get(self, session_id: str) -> Session | None:
        """The session with its turns, oldest first, or ``None``."""
        return self._sessions.get(session_id)

    async def append(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Add turns, creating the session on first use; nobody sees half of them."""
        session = self._sessions.pop(session_id, None) or Session(session_id, self._clock())
        kept = (*session.turns, *turns)[-self._max_turns :]
        self._sessions[session_id] = replace(session, turns=kept)
        while len(self._sessions) > self._max_sessions:
            self._sessions.popitem(last=False)

    async def is_healthy(self) -> bool:
        """Memory can always be read."""
        return True

    async def aclose(self) -> None:
        """Forget everything."""
        self._sessions.clear()
