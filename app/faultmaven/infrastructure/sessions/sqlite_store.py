"""Conversations in one SQLite file, which several processes of one machine may share."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from faultmaven.errors import ConfigurationError
from faultmaven.infrastructure.sessions import schema
from faultmaven.infrastructure.sessions.connection import connect
from faultmaven.models.session import Session, Turn

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept; the oldest goes first.

    Attributes:
        max_turns: most turns of one session.
        max_bytes: most bytes of text of one session; its latest turn is kept whatever its size.
        max_sessions: most sessions.
        max_age: seconds after its latest turn that a session is kept.
    """

    max_turns: int = 200
    max_bytes: int = 8_000_000
    max_sessions: int = 10_000
    max_age: float = 90 * _DAY


class SQLiteSessionStore:
    """An `ISessionStore` over one connection, opened on first use.

    Args:
        path: the database file; it and its folder are created.
        retention: how much is kept.
        clock: gives Unix time in seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._retention = retention or Retention()
        self._clock = clock
        # One connection has one transaction at a time: whoever uses it has it alone.
        self._lock = asyncio.Lock()
        self._connection: aiosqlite.Connection | None = None

    async def open(self) -> None:
        """Open the database, creating it if need be; does nothing when it is open.

        Raises:
            ConfigurationError: it cannot be created, read or written, or is none of ours.
        """
        async with self._connected():
            pass

    async def get(self, session_id: str) -> Session | None:
        """The session with its turns, oldest first, or ``None``.

        Raises:
            ConfigurationError: the database cannot be read.
        """
        async with self._connected() as connection:
            found = await connection.execute_fetchall(schema.SELECT_SESSION, (session_id,))
            rows = await connection.execute_fetchall(schema.SELECT_TURNS, (session_id,))
        for (created_at,) in found:
            turns = tuple(Turn(role, text, at) for role, text, at in rows)
            return Session(session_id, created_at, turns)
        return None

    async def append(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Add turns, creating the session on first use and forgetting what is too much.

        Raises:
            ConfigurationError: the database cannot be written.
        """
        rows = [(session_id, turn.role, turn.text, turn.created_at) for turn in turns]
        now = self._clock()
        async with self._transaction() as connection:
            await connection.execute(schema.INSERT_SESSION, {"id": session_id, "now": now})
            await connection.executemany(schema.INSERT_TURN, rows)
            await self._forget(connection, session_id, now)

    async def is_healthy(self) -> bool:
        """Whether the database can be read now."""
        try:
            await self.get("")
        except ConfigurationError:
            return False
        return True

    async def aclose(self) -> None:
        """Close the connection; a later use opens it again."""
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.close()

    async def _forget(self, connection: aiosqlite.Connection, session_id: str, now: float) -> None:
        keep = self._retention
        await connection.execute(
            schema.TRIM_TURNS,
            {"id": session_id, "max_turns": keep.max_turns, "max_bytes": keep.max_bytes},
        )
        await connection.execute(schema.FORGET_OLD, {"oldest": now - keep.max_age})
        await connection.execute(schema.FORGET_SURPLUS, {"max_sessions": keep.max_sessions})

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosqlite.Connection]:
        """The connection for the caller alone; what goes wrong with it is the operator's matter."""
        async with self._lock:
            try:
                if self._connection is None:
                    self._connection = await connect(self._path)
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise ConfigurationError(
                    f"FAULTMAVEN_DATA_DIR: the session database {self._path} cannot be used "
                    f"({error}).",
                    hint="Check that the folder can be written and has space, or name another. "
                    "A damaged file can be moved away; the sessions in it are then lost.",
                ) from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """A connection whose changes are kept all together, or not at all."""
        async with self._connected() as connection:
            try:
                # Taken at once: a lock that is upgraded later may have to be given up instead.
                await connection.execute("BEGIN IMMEDIATE")
                yield connection
                await connection.commit()
            finally:
                # The worker's queue keeps its order, so that this comes before anybody's next
                # statement even if the caller is cancelled again; after a commit it does nothing.
                await asyncio.shield(connection.rollback())
