"""One connection to the session database, its file and tables prepared."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import aiosqlite

from faultmaven.errors import ConfigurationError
from faultmaven.infrastructure.sessions import schema

_BUSY_SECONDS = 5.0  # how long a statement waits for another process's
_PAUSE = 0.01  # seconds between two tries of what SQLite does not wait for
_PRIMARY = 0xFF  # of a result code, the part that names the error (sqlite.org/rescode.html)
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600  # conversations are nobody else's business


async def connect(path: Path) -> aiosqlite.Connection:
    """Open the database at ``path``, creating file, folder and tables if need be.

    Raises:
        OSError: file or folder cannot be created.
        sqlite3.Error: it is no database, is damaged, or another process holds it too long.
        ConfigurationError: a newer version of the service has written it.
    """
    await asyncio.to_thread(_create_file, path)
    # Transactions are begun by hand, not by the library's guess.
    connection = await aiosqlite.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        await _prepare(connection, path)
    except BaseException:
        await connection.close()
        raise
    return connection


def _create_file(path: Path) -> None:
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    path.touch(mode=_FILE_MODE, exist_ok=True)


async def _switch_to_wal(connection: aiosqlite.Connection) -> None:
    """Let readers and a writer not wait for each other: https://www.sqlite.org/wal.html.

    Of two processes that switch a new file at the same time SQLite refuses one at once, whatever
    it is told about waiting: each would wait for the other.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + _BUSY_SECONDS
    while True:
        try:
            await connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or clock() >= until:
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _prepare(connection: aiosqlite.Connection, path: Path) -> None:
    await _switch_to_wal(connection)
    # With WAL a power cut may lose the last turns, and never damages the file.
    await connection.execute("PRAGMA synchronous = NORMAL")
    await connection.execute("PRAGMA foreign_keys = ON")
    await connection.execute("BEGIN IMMEDIATE")
    version = await _version(connection)
    if version > schema.VERSION:
        raise ConfigurationError(
            f"FAULTMAVEN_DATA_DIR: the session database {path} was written by a newer version of "
            f"FaultMaven (format {version}, this one knows {schema.VERSION}).",
            hint="Run that version again, or name another folder.",
        )
    if version == 0:
        for statement in schema.CREATE:
            await connection.execute(statement)
    await connection.execute("COMMIT")


async def _version(connection: aiosqlite.Connection) -> int:
    rows = await connection.execute_fetchall("PRAGMA user_version")
    return next(int(version) for (version,) in rows)
