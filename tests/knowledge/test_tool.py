"""The runbooks as the agent's tool: lazy, shared, off the event loop where it takes time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from faultmaven.knowledge.library import Runbook, RunbookError, load_runbooks
from faultmaven.knowledge.tool import RunbookSearch
from faultmaven.models.interfaces import ITool


class CountedLoad:
    """Loads the packaged runbooks and remembers how often and in which thread."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def __call__(self) -> tuple[Runbook, ...]:
        """Load and remember."""
        self.threads.append(threading.current_thread())
        return load_runbooks()


async def test_finds_runbooks() -> None:
    """A query gets the runbooks that fit it, and it fits the agent's interface."""
    tool: ITool = RunbookSearch()
    matches = await tool.run("FATAL: sorry, too many clients already")
    assert matches[0].runbook.id == "postgresql-too-many-connections"
    assert tool.name == "runbooks"
    assert tool.description


async def test_finds_nothing_for_another_subject() -> None:
    """An empty answer, not a bad one."""
    assert await RunbookSearch().run("write me a poem about the sea") == ()


async def test_nothing_is_loaded_before_the_first_use() -> None:
    """Start-up does not pay for runbooks; the first search does, away from the event loop."""
    load = CountedLoad()
    tool = RunbookSearch(load)
    assert load.threads == []
    await tool.run("redis")
    assert load.threads
    assert load.threads[0] is not threading.main_thread()


async def test_the_first_uses_at_once_load_once() -> None:
    """Many first searches at the same time share one index."""
    load = CountedLoad()
    tool = RunbookSearch(load)
    answers = await asyncio.gather(*(tool.run("OOMKilled exit code 137") for _ in range(8)))
    assert len(load.threads) == 1
    assert len(set(answers)) == 1


async def test_the_limit_is_kept() -> None:
    """An answer has at most as many runbooks as asked for."""
    query = "OOMKilled CrashLoopBackOff exit code 137"
    assert len(await RunbookSearch(limit=1).run(query)) == 1
    assert len(await RunbookSearch(limit=2).run(query)) == 2


async def test_a_large_query_leaves_the_event_loop_free() -> None:
    """Other requests go on while a large log is searched."""
    tool = RunbookSearch()
    await tool.run("ready")
    search = asyncio.create_task(tool.run("all is well\n" * 200_000 + "OOMKilled"))
    turns = 0
    while not search.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1
    assert (await search)[0].runbook.id == "kubernetes-oomkilled"


async def test_a_broken_runbook_is_reported_each_time() -> None:
    """A failed load is not mistaken for an index."""

    def load() -> tuple[Runbook, ...]:
        raise RunbookError("x.toml: title: missing")

    tool = RunbookSearch(load)
    for _ in range(2):
        with pytest.raises(RunbookError, match=r"x\.toml"):
            await tool.run("redis")
