"""The session database's tables and statements."""

from __future__ import annotations

VERSION = 1

CREATE = (
    """
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX session_by_age ON session (updated_at)",
    """
    CREATE TABLE turn (
        id INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
        text TEXT NOT NULL,
        created_at REAL NOT NULL
    )
    """,
    "CREATE INDEX turn_by_session ON turn (session_id, id)",
    f"PRAGMA user_version = {VERSION}",
)

SELECT_SESSION = "SELECT created_at FROM session WHERE id = ?"
SELECT_TURNS = "SELECT role, text, created_at FROM turn WHERE session_id = ? ORDER BY id"

INSERT_SESSION = """
    INSERT INTO session (id, created_at, updated_at) VALUES (:id, :now, :now)
    ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at
"""
INSERT_TURN = "INSERT INTO turn (session_id, role, text, created_at) VALUES (?, ?, ?, ?)"

# The latest turn stays however long it is.
TRIM_TURNS = """
    DELETE FROM turn WHERE id IN (
        SELECT id FROM (
            SELECT
                id,
                row_number() OVER newest_first AS place,
                sum(length(CAST(text AS BLOB))) OVER newest_first AS bytes
            FROM turn WHERE session_id = :id
            WINDOW newest_first AS (ORDER BY id DESC)
        )
        WHERE place > :max_turns OR (place > 1 AND bytes > :max_bytes)
    )
"""
FORGET_OLD = "DELETE FROM session WHERE updated_at < :oldest"
FORGET_SURPLUS = """
    DELETE FROM session WHERE id IN (
        SELECT id FROM session ORDER BY updated_at DESC LIMIT -1 OFFSET :max_sessions
    )
"""
