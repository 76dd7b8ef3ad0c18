"""The runbooks as a tool of the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from threading import Lock

from faultmaven.knowledge.library import Runbook, load_runbooks
from faultmaven.knowledge.retrieval import RunbookIndex, RunbookMatch

__all__ = ["RunbookSearch"]

_QUICK = 8_000  # characters that are searched faster than a thread is handed the work


class RunbookSearch:
    """Finds runbooks for a question; loads and indexes them on first use."""

    name = "runbooks"
    description = "Finds runbooks for common faults from words or error messages of a question."

    def __init__(
        self, load: Callable[[], Iterable[Runbook]] = load_runbooks, *, limit: int = 2
    ) -> None:
        """Search what ``load`` returns; each answer has at most ``limit`` runbooks."""
        self._load = load
        self._limit = limit
        self._lock = Lock()
        self._index: RunbookIndex | None = None

    async def run(self, query: str) -> tuple[RunbookMatch, ...]:
        """Return the runbooks that fit ``query``, best first; empty when none does.

        Raises:
            RunbookError: on first use, when a runbook is wrong or cannot be indexed.
        """
        if self._index is not None and len(query) <= _QUICK:
            return self._index.search(query, limit=self._limit)
        return await asyncio.to_thread(self._search, query)

    def _search(self, query: str) -> tuple[RunbookMatch, ...]:
        return self._ready_index().search(query, limit=self._limit)

    def _ready_index(self) -> RunbookIndex:
        with self._lock:
            if self._index is None:
                self._index = RunbookIndex(self._load())
            return self._index
