"""WEB_CONCURRENCY: several processes behind one address are one service."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.command import PATIENCE, run
from cli.serving import CHAT, Service, question, serving
from upstreams import Upstream

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks for processes where Linux lists them"
)

TWO = {"WEB_CONCURRENCY": "2", "MAX_IN_FLIGHT": "50"}
ASK = "/api/v1/query/troubleshoot"


def _children_of(parent: int) -> set[int]:
    """Processes started by another, as the operating system lists them."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = path.read_text(encoding="utf-8", errors="replace").split(" (", 1)
        except OSError:
            continue
        state, its_parent = rest.rsplit(") ", 1)[1].split()[:2]
        if int(its_parent) == parent and state != "Z":
            found.add(int(number))
    return found


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - nobody tells us of other processes
            await asyncio.sleep(0.05)


async def _ask(service: Service, count: int, path: str, body: dict[str, object]) -> list[int]:
    """Ask so often at once, each on a connection of its own; the statuses."""

    async def once() -> int:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            return (await client.post(service.url + path, json=body)).status_code

    return await asyncio.gather(*(once() for _ in range(count)))


async def _sample(service: Service, name: str, **labels: str) -> float:
    """Read one value of ``/metrics``, from whichever worker answers."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        text = (await client.get(service.url + "/metrics")).text
    samples = (one for family in text_string_to_metric_families(text) for one in family.samples)
    return next(one.value for one in samples if (one.name, one.labels) == (name, labels))


async def test_are_one_service(tmp_path: Path) -> None:
    """One greeting, one sum of metrics, one store of conversations; SIGTERM ends all with 0."""
    body: dict[str, object] = {"session_id": "shared", "query": "Why?"}
    async with Upstream("openai") as up, serving(up, folder=tmp_path, **TWO) as service:
        workers = _children_of(service.process.pid)
        statuses = await _ask(service, 40, ASK, body)
        shown = {
            await _sample(service, "faultmaven_requests_total", route=ASK, status="200")
            for _ in range(10)
        }
        service.process.send_signal(signal.SIGTERM)
        code = await service.ended()
        assert service.process.stdout is not None
        further = await service.process.stdout.read()
    with sqlite3.connect(tmp_path / "data" / "sessions.sqlite3") as store:
        [(turns,)] = store.execute("SELECT count(*) FROM turn").fetchall()
    store.close()
    assert len(workers) == 2
    assert statuses == [200] * 40
    assert shown == {40}
    assert turns == 80
    assert code == 0
    assert b"FaultMaven answers" not in further
    assert not _children_of(service.process.pid) | {pid for pid in workers if _runs(pid)}


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    """Another takes its place and its counters; the service answers all the time."""
    async with Upstream("openai") as up, serving(up, folder=tmp_path, **TWO) as service:
        before = _children_of(service.process.pid)
        await _ask(service, 20, CHAT, question(up.model))
        dead = min(before)
        _kill(dead)
        await _until(lambda: len(_children_of(service.process.pid) - {dead}) == 2)
        statuses = await _ask(service, 20, CHAT, question(up.model))
        count = await _sample(service, "faultmaven_requests_total", route=CHAT, status="200")
        running = await _sample(service, "faultmaven_requests_in_flight")
        service.process.send_signal(signal.SIGTERM)
        code = await service.ended()
    assert statuses == [200] * 20
    assert (count, running, code) == (40, 1, 0)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


async def test_one_reload_reaches_all(tmp_path: Path) -> None:
    """Whichever worker is asked to reload, each has the new configuration, and none a bad one."""
    key = "the-operators-own"
    further = {"ADMIN_API_KEY": key, "RELOAD_WATCH": "false", **TWO}
    async with Upstream("openai") as up, serving(up, folder=tmp_path, **further) as service:
        good = await _reload(service, tmp_path, "MAX_BODY_BYTES=2000000\n", key=key)
        async with asyncio.timeout(PATIENCE):
            while await _reloads(service, "applied") < 2:
                pass
        bad = await _reload(service, tmp_path, "MAX_BODY_BYTES=none\n", key=key)
        rejected = await _reloads(service, "rejected")
    assert (good, bad, rejected) == (200, 422, 1)


async def _reload(service: Service, folder: Path, written: str, *, key: str) -> int:
    (folder / ".env").write_text(written, encoding="utf-8")
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        headers = {"x-admin-key": key}
        url = service.url + "/api/v1/admin/reload"
        return (await client.post(url, headers=headers)).status_code


async def _reloads(service: Service, result: str) -> float:
    return await _sample(service, "faultmaven_config_reloads_total", result=result)


async def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """Where the parent is killed, the workers end by themselves."""
    async with (
        Upstream("openai") as up,
        serving(up, folder=tmp_path, TMPDIR=str(tmp_path), **TWO) as service,
    ):
        workers = _children_of(service.process.pid)
        service.process.kill()
        await service.ended()
        await _until(lambda: not any(_runs(pid) for pid in workers))


async def test_a_start_that_fails_fails_once(tmp_path: Path) -> None:
    """What keeps a worker from starting ends the service with exit code 1, and says what it is."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder", encoding="utf-8")
    ended = await run("serve", folder=tmp_path, PORT="0", FAULTMAVEN_DATA_DIR=str(blocked), **TWO)
    assert ended.code == 1
    assert "FAULTMAVEN_DATA_DIR" in ended.err
    assert "Traceback" not in ended.err
    assert "FaultMaven answers" not in ended.out
