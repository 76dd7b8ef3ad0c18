"""The session store, over real files."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.errors import ConfigurationError
from faultmaven.infrastructure.sessions.connection import connect
from faultmaven.infrastructure.sessions.sqlite_store import Retention, SQLiteSessionStore
from faultmaven.models.interfaces import ISessionStore
from faultmaven.models.session import Session, Turn


def turn(text: str, *, at: float = 1.0) -> Turn:
    """Something the user said."""
    return Turn("user", text, at)


@asynccontextmanager
async def opened(
    path: Path, *, now: float = 100.0, retention: Retention | None = None
) -> AsyncIterator[SQLiteSessionStore]:
    """A store that is closed again."""
    store = SQLiteSessionStore(path, retention=retention, clock=lambda: now)
    try:
        yield store
    finally:
        await store.aclose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may be, in a folder that does not exist yet."""
    return tmp_path / "data" / "sessions.sqlite3"


async def texts(store: ISessionStore, session_id: str) -> list[str]:
    """What was said in a session that exists."""
    session = await store.get(session_id)
    assert session is not None
    return [turn.text for turn in session.turns]


async def test_an_unknown_session_is_none(path: Path) -> None:
    """Nobody has spoken, so there is nothing."""
    async with opened(path) as store:
        assert await store.get("nobody") is None


async def test_the_first_turns_create_the_session(path: Path) -> None:
    """A session comes about with its first turns and gives them back whole, in order (S82)."""
    turns = (Turn("user", "Why?", 1.5), Turn("assistant", "Disk.\n\x00 ünï \U0001f600", 2.5))
    async with opened(path, now=42.0) as store:
        await store.append("s", turns)
        assert await store.get("s") == Session("s", 42.0, turns)


async def test_turns_are_added_to_their_own_session(path: Path) -> None:
    """Sessions do not mix, and the creation time stays."""
    async with opened(path, now=1.0) as store:
        await store.append("a", [turn("a1")])
        await store.append("b", [turn("b1")])
        await store.append("a", [turn("a2")])
        assert await texts(store, "a") == ["a1", "a2"]
        assert await texts(store, "b") == ["b1"]


async def test_turns_survive_a_restart(path: Path) -> None:
    """What was said is there after the store was closed and another one opened."""
    async with opened(path) as store:
        await store.append("s", [turn("before")])
    async with opened(path) as store:
        await store.append("s", [turn("after")])
        assert await texts(store, "s") == ["before", "after"]


async def test_a_closed_store_opens_again(path: Path) -> None:
    """Closing ends a life of the store, not the store."""
    async with opened(path) as store:
        await store.append("s", [turn("one")])
        await store.aclose()
        assert await texts(store, "s") == ["one"]


async def test_only_the_owner_may_read_it(path: Path) -> None:
    """Conversations are kept from other users of the machine."""
    async with opened(path) as store:
        await store.append("s", [turn("private")])
        files = [path, *path.parent.glob("*-wal")]
        assert len(files) == 2
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_many_callers_at_once_lose_nothing(path: Path) -> None:
    """Fifty concurrent appends to two sessions are all kept, each pair of turns together."""
    async with opened(path) as store:
        await asyncio.gather(
            *(
                store.append(f"s{n % 2}", [turn(f"question {n}"), turn(f"answer {n}")])
                for n in range(50)
            )
        )
        for which in (0, 1):
            said = await texts(store, f"s{which}")
            assert len(said) == 50
            pairs = list(zip(said[::2], said[1::2], strict=True))
            assert all(q.split()[1] == a.split()[1] for q, a in pairs)


_WRITER = """
import asyncio, sys
from pathlib import Path
from faultmaven.infrastructure.sessions.sqlite_store import SQLiteSessionStore
from faultmaven.models.session import Turn

async def main(path, name):
    store = SQLiteSessionStore(Path(path))
    for n in range(25):
        await store.append("shared", [Turn("user", f"{name} {n}", float(n))])
    await store.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_new_file_is_made_by_whoever_comes_first(tmp_path: Path) -> None:
    """Of several that open a file that is not there yet, none is refused."""
    for attempt in range(40):
        path = tmp_path / f"{attempt}" / "sessions.sqlite3"
        for connection in await asyncio.gather(*(connect(path) for _ in range(4))):
            await connection.close()


async def test_processes_share_one_file(path: Path) -> None:
    """Three processes that create and fill one database at once lose no turn and keep order."""
    names = ("one", "two", "three")
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(path), name)
        for name in names
    ]
    assert [await writer.wait() for writer in writers] == [0, 0, 0]
    async with opened(path) as store:
        said = await texts(store, "shared")
    for name in names:
        own = [text for text in said if text.startswith(f"{name} ")]
        assert own == [f"{name} {n}" for n in range(25)]


async def test_a_cancelled_append_leaves_the_store_usable(path: Path) -> None:
    """A caller who leaves in the middle leaves no half-done transaction behind."""
    async with opened(path) as store:
        await store.append("s", [turn("first")])
        for _ in range(20):
            leaving = asyncio.create_task(store.append("s", [turn("?"), turn("?")]))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        await store.append("s", [turn("last")])
        said = await texts(store, "s")
    assert said[0] == "first"
    assert said[-1] == "last"
    assert said.count("?") % 2 == 0


async def test_the_oldest_turns_go_first(path: Path) -> None:
    """No more turns are kept than the retention says."""
    async with opened(path, retention=Retention(max_turns=3)) as store:
        for n in range(5):
            await store.append("s", [turn(str(n))])
        await store.append("other", [turn("stays")])
        assert await texts(store, "s") == ["2", "3", "4"]
        assert await texts(store, "other") == ["stays"]


async def test_long_sessions_are_cut_by_size_but_keep_their_latest_turn(path: Path) -> None:
    """Bytes count, not characters, and the latest turn stays whatever its size."""
    async with opened(path, retention=Retention(max_bytes=10)) as store:
        await store.append("s", [turn("aaaa"), turn("éé"), turn("cccc")])
        assert await texts(store, "s") == ["éé", "cccc"]
        await store.append("s", [turn("x" * 100)])
        assert await texts(store, "s") == ["x" * 100]


async def test_surplus_and_old_sessions_are_forgotten_with_their_turns(path: Path) -> None:
    """The sessions nobody has spoken in for longest go, and nothing of them stays."""
    retention = Retention(max_sessions=2, max_age=50)
    for now, name in ((1.0, "a"), (2.0, "b"), (3.0, "a"), (4.0, "c")):
        async with opened(path, now=now, retention=retention) as store:
            await store.append(name, [turn(f"{name} at {now}")])
    async with opened(path, now=53.5, retention=retention) as store:
        assert await store.get("b") is None
        await store.append("d", [turn("new")])
        assert await store.get("a") is None
        assert await texts(store, "c") == ["c at 4.0"]
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM turn").fetchone() == (2,)
    database.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5))
async def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, said: list[str]
) -> None:
    """Whatever is text is kept to the character."""
    async with opened(tmp_path_factory.mktemp("any") / "sessions.sqlite3") as store:
        await store.append("s", [turn(text) for text in said])
        assert await texts(store, "s") == said


@pytest.mark.parametrize(
    "content", [b"this is no database, but long enough to be taken for one" * 20, b"SQLite"]
)
async def test_a_file_that_is_no_database_is_a_configuration_error(
    tmp_path: Path, content: bytes
) -> None:
    """It says so at the start, naming the variable, and does not touch the file."""
    path = tmp_path / "sessions.sqlite3"
    await asyncio.to_thread(path.write_bytes, content)
    async with opened(path) as store:
        with pytest.raises(ConfigurationError, match=r"FAULTMAVEN_DATA_DIR.*sessions\.sqlite3"):
            await store.open()
        assert not await store.is_healthy()
    assert await asyncio.to_thread(path.read_bytes) == content


async def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    """A file where the folder should be is told in words, and not ready, until it is gone."""
    obstacle = tmp_path / "data"
    obstacle.write_text("in the way")
    async with opened(obstacle / "sessions.sqlite3") as store:
        with pytest.raises(ConfigurationError, match="FAULTMAVEN_DATA_DIR") as caught:
            await store.open()
        assert caught.value.hint
        assert not await store.is_healthy()
        obstacle.unlink()
        assert await store.is_healthy()


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    """What a later version has written is not read half-understood."""
    async with opened(path) as store:
        await store.append("s", [turn("kept")])
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    async with opened(path) as store:
        with pytest.raises(ConfigurationError, match="newer version"):
            await store.open()


async def test_a_write_that_fails_is_told_in_words(path: Path) -> None:
    """A database another process has broken gives a configuration error, not a stack trace."""
    async with opened(path) as store:
        await store.open()
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE turn")
        database.close()
        with pytest.raises(ConfigurationError, match="no such table"):
            await store.append("s", [turn("lost")])
        assert not await store.is_healthy()
