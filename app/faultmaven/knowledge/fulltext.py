"""Runbooks in SQLite's full-text index, ranked by BM25 after stemming.

https://www.sqlite.org/fts5.html describes the tokenizers and the ranking.
"""

from __future__ import annotations

import re
import sqlite3
import weakref
from collections.abc import Sequence
from threading import Lock

from faultmaven.knowledge.library import Runbook, RunbookError

__all__ = ["FullTextIndex", "columns"]

_CREATE = """
    CREATE VIRTUAL TABLE runbooks USING fts5(
        title, area, symptoms, causes, advice, commands,
        content = '', tokenize = 'porter unicode61'
    )
"""
_INSERT = """
    INSERT INTO runbooks (rowid, title, area, symptoms, causes, advice, commands)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
# A word in the title tells more than one in a command; the weights follow the columns' order.
_RANK = """
    SELECT rowid, -bm25(runbooks, 6.0, 4.0, 4.0, 1.5, 1.0, 0.7)
    FROM runbooks WHERE runbooks MATCH ?
"""

_CAMEL_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def columns(runbook: Runbook) -> tuple[str, str, str, str, str, str]:
    """Return the indexed text of ``runbook``: title, area, symptoms, causes, advice, commands.

    A symptom such as ``ModuleNotFoundError`` is also indexed as the words it is made of.
    """
    symptoms = " ".join(runbook.symptoms)
    return (
        runbook.title,
        runbook.area,
        f"{symptoms} {_CAMEL_JOINT.sub(' ', symptoms)}",
        " ".join(runbook.causes),
        " ".join((*runbook.checks, *runbook.fixes)),
        " ".join(f"{entry.command} {entry.description}" for entry in runbook.commands),
    )


class FullTextIndex:
    """An index in memory; may be asked from several threads.

    Raises:
        RunbookError: this Python's SQLite was built without FTS5.
    """

    def __init__(self, runbooks: Sequence[Runbook]) -> None:
        """Index ``runbooks`` by their position."""
        self._lock = Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        try:
            self._database.execute(_CREATE)
        except sqlite3.OperationalError as error:
            raise RunbookError(f"runbooks cannot be searched: {error}") from error
        self._database.executemany(_INSERT, ((n, *columns(r)) for n, r in enumerate(runbooks)))

    def scores(self, words: Sequence[str]) -> dict[int, float]:
        """Return the score of every row that has one of ``words``; words are letters and digits."""
        if not words:
            return {}
        query = " OR ".join(f'"{word}"' for word in words)
        with self._lock:
            return dict(self._database.execute(_RANK, (query,)).fetchall())
