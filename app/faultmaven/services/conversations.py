"""A session's earlier turns, whatever state its store is in.

A store that fails must not cost anybody an answer: the question is then answered without its
history, and the failure is logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from faultmaven.errors import FaultMavenError, SessionNotFoundError
from faultmaven.models.interfaces import ISessionStore
from faultmaven.models.live import Live, now
from faultmaven.models.session import Session, Turn

_log = logging.getLogger(__name__)

_STORE_SECONDS = 2.0
# A store translates what goes wrong into our tree; a network or a timeout may still show.
_STORE_FAILURES = (FaultMavenError, OSError)


class Conversations:
    """Reads and keeps conversations.

    Args:
        store: where they are.
        strict: whether an unknown session is an error.
        clock: gives Unix time in seconds.
    """

    def __init__(
        self, store: ISessionStore, *, strict: Live[bool], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._strict = strict
        self._clock = clock

    async def history(self, session_id: str, *, seconds: float) -> tuple[Turn, ...]:
        """The session's turns, oldest first; none for a new session or a failing store.

        Raises:
            SessionNotFoundError: sessions are strict, and this one is unknown.
        """
        try:
            session = await self._read(session_id, seconds)
        except _STORE_FAILURES as failure:
            _log.warning("session history is not available: %s", type(failure).__name__)
            return ()
        if session is None and now(self._strict):
            raise SessionNotFoundError(
                "The session is unknown.",
                hint="Use a session that exists, or set SESSION_STRICT=false.",
            )
        return session.turns if session else ()

    async def keep(self, session_id: str, asked: str, answered: str, *, seconds: float) -> bool:
        """Add a question and its answer, both or neither; whether that worked."""
        now = self._clock()
        turns = (Turn("user", asked, now), Turn("assistant", answered, now))
        return await self._append(session_id, turns, seconds)

    async def begin(self, session_id: str, turns: Sequence[Turn], *, seconds: float) -> bool:
        """Give a session that has no turns yet these as its first; whether it has them now."""
        try:
            session = await self._read(session_id, seconds)
        except _STORE_FAILURES as failure:
            _log.warning("session history is not available: %s", type(failure).__name__)
            return False
        if session is not None and session.turns:
            return False
        return await self._append(session_id, turns, seconds)

    async def _append(self, session_id: str, turns: Sequence[Turn], seconds: float) -> bool:
        try:
            async with asyncio.timeout(min(seconds, _STORE_SECONDS)):
                await self._store.append(session_id, turns)
        except _STORE_FAILURES as failure:
            _log.warning("session is not kept: %s", type(failure).__name__)
            return False
        return True

    async def _read(self, session_id: str, seconds: float) -> Session | None:
        async with asyncio.timeout(min(seconds, _STORE_SECONDS)):
            return await self._store.get(session_id)
