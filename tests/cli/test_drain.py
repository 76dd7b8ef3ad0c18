"""A service that is asked to end fails no request and cuts no stream."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest

from cli.serving import CHAT, Service, question, read_stream, serving, slow_answer
from upstreams import Upstream

STREAMS = 20
WORDS = "".join(f"word{number} " for number in range(20))


async def _begin_streams(service: Service, model: str) -> list[asyncio.Task[str]]:
    begun = [asyncio.Event() for _ in range(STREAMS)]
    tasks = [asyncio.create_task(read_stream(service.url, model, begun=one)) for one in begun]
    async with asyncio.timeout(60):
        await asyncio.gather(*(one.wait() for one in begun))
    return tasks


async def _ask_until_refused(client: httpx.AsyncClient, model: str) -> list[httpx.Response]:
    """Ask again and again, until nobody listens any more."""
    answers = []
    while True:
        try:
            answers.append(await client.post(CHAT, json=question(model)))
        except httpx.ConnectError:
            return answers
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_nothing_fails_and_nothing_is_cut(tmp_path: Path, processes: str) -> None:
    """SIGTERM under streams and steady requests: all are answered whole, and the exit code is 0."""
    async with (
        Upstream("openai", answer=slow_answer(seconds=2)) as up,
        serving(up, folder=tmp_path, DRAIN_DELAY="0.5", WEB_CONCURRENCY=processes) as service,
        httpx.AsyncClient(base_url=service.url, timeout=60) as kept,
        httpx.AsyncClient(
            base_url=service.url, timeout=60, limits=httpx.Limits(max_keepalive_connections=0)
        ) as fresh,
    ):
        streams = await _begin_streams(service, up.model)
        steady = [asyncio.create_task(_ask_until_refused(one, up.model)) for one in (kept, fresh)]
        await asyncio.sleep(0.2)
        service.process.send_signal(signal.SIGTERM)
        said = await asyncio.gather(*streams)
        answers = [answer for answers in await asyncio.gather(*steady) for answer in answers]
        code = await service.ended()
    assert said == [WORDS] * STREAMS
    assert {answer.status_code for answer in answers} == {200}
    assert code == 0


async def test_says_at_once_that_it_ends_and_serves_on(tmp_path: Path) -> None:
    """Readiness turns within 100 ms, liveness does not; answers close their connections."""
    async with (
        Upstream("openai") as up,
        serving(up, folder=tmp_path, DRAIN_DELAY="60") as service,
        httpx.AsyncClient(base_url=service.url, timeout=60) as client,
    ):
        before = await client.get("/health/ready")
        service.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        ready = await client.get("/health/ready")
        live = await client.get("/health/live")
        answer = await client.post(CHAT, json=question(up.model))
        service.process.send_signal(signal.SIGTERM)  # once more: now
        code = await service.ended()
    assert (before.status_code, before.headers.get("connection")) == (200, None)
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    assert (live.status_code, answer.status_code) == (200, 200)
    assert [one.headers["connection"] for one in (ready, live, answer)] == ["close"] * 3
    assert code == 0


async def test_whoever_outlasts_the_grace_is_cut(tmp_path: Path) -> None:
    """The service ends after the grace, also where a stream does not."""
    async with (
        Upstream("openai", answer=slow_answer(seconds=60)) as up,
        serving(up, folder=tmp_path, GRACE_PERIOD="0.5") as service,
    ):
        begun = asyncio.Event()
        stream = asyncio.create_task(read_stream(service.url, up.model, begun=begun))
        await asyncio.wait_for(begun.wait(), 60)
        asked = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        code = await service.ended()
        took = time.monotonic() - asked
        with pytest.raises((httpx.HTTPError, AssertionError)):
            await stream
    assert code == 0
    assert took < 30
