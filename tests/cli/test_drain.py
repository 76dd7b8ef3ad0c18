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


class Steady:
    """Asks again and again, until nobody listens any more.

    Args:
        url: whom.
        connections: most connections that are kept for a further request.
    """

    def __init__(self, url: str, *, connections: int) -> None:
        limits = httpx.Limits(max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(base_url=url, timeout=60, limits=limits)
        self._news = asyncio.Condition()
        self.answers: list[httpx.Response] = []

    async def ask(self, model: str) -> None:
        """Ask until a connection is refused."""
        async with self._client:
            while True:
                try:
                    answer = await self._client.post(CHAT, json=question(model))
                except httpx.ConnectError:
                    return
                async with self._news:
                    self.answers.append(answer)
                    self._news.notify_all()
                await asyncio.sleep(0.02)

    async def answered(self, further: int) -> None:
        """Wait until so many further requests have been answered."""
        wanted = len(self.answers) + further
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: len(self.answers) >= wanted)


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_nothing_fails_and_nothing_is_cut(tmp_path: Path, processes: str) -> None:
    """Ended under streams and steady requests, it answers all of them whole, with exit code 0.

    During the delay it takes new connections; a second signal ends the delay.
    """
    async with (
        Upstream("openai", answer=slow_answer(seconds=2)) as up,
        serving(up, folder=tmp_path, DRAIN_DELAY="60", WEB_CONCURRENCY=processes) as service,
    ):
        kept, fresh = (Steady(service.url, connections=number) for number in (1, 0))
        streams = await _begin_streams(service, up.model)
        steady = [asyncio.create_task(each.ask(up.model)) for each in (kept, fresh)]
        await asyncio.gather(kept.answered(2), fresh.answered(2))
        service.process.send_signal(signal.SIGTERM)
        await fresh.answered(10)
        service.process.send_signal(signal.SIGTERM)
        said = await asyncio.gather(*streams)
        await asyncio.gather(*steady)
        code = await service.ended()
    assert said == [WORDS] * STREAMS
    assert {answer.status_code for answer in (*kept.answers, *fresh.answers)} == {200}
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
