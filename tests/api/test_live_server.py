"""What only a real server and a real socket can show."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.live import live_client, served
from api.service import QUESTION, TROUBLESHOOT, Container, Stuck, container_of, problem, sample
from doubles import HandWritten, hand_written, row
from faultmaven.infrastructure.observability.logs import configure_logging
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse

KEY = "sk-ant-api03-abcdefghijklmnop1234"
LIMIT = 100_000


def small(folder: Path, **variables: str) -> Container:
    """A service that takes a hundred kilobytes."""
    return container_of(folder, variables={"MAX_BODY_BYTES": str(LIMIT), **variables})


@asynccontextmanager
async def connection(
    container: Container,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a bare connection to a served application."""
    async with served(container) as (host, port), asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            yield reader, writer
        finally:
            writer.close()


def head(**headers: str) -> bytes:
    """Write the head of a request."""
    named = {"host": "localhost", "content_type": "application/json", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return (
        f"POST {TROUBLESHOOT} HTTP/1.1\r\n{chr(13)}{chr(10)}".encode()[:-2]
        + ("\r\n".join(lines) + "\r\n\r\n").encode()
    )


async def test_an_answer_crosses_a_real_socket(tmp_path: Path) -> None:
    """The documented request, over HTTP as it is spoken (S82, S84)."""
    async with live_client(small(tmp_path)) as client:
        response = await client.post(TROUBLESHOOT, json=QUESTION)
        health = await client.get("/health/dependencies")
    assert (response.status_code, response.json()["provider"]) == (200, "one")
    assert health.json()["components"]["llm_provider"] is True


async def test_an_oversized_body_is_refused_and_the_connection_stays_usable(
    tmp_path: Path,
) -> None:
    """Announced as too long: 413 as a problem body, and the next request is served."""
    async with live_client(small(tmp_path)) as client:
        refused = await client.post(
            TROUBLESHOOT, content=b"x" * (50 * LIMIT), headers={"Content-Type": "application/json"}
        )
        answered = await client.post(TROUBLESHOOT, json=QUESTION)
    assert refused.status_code == 413
    assert problem(refused)["error_class"] == "body_too_large"
    assert answered.status_code == 200


async def test_an_announced_giant_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """Nobody has to upload a terabyte to learn that it is too much."""
    async with connection(small(tmp_path)) as (reader, writer):
        writer.write(head(content_length=str(10**12), expect="100-continue"))
        await writer.drain()
        status = await reader.readline()
    assert status.startswith(b"HTTP/1.1 413")


async def test_chunks_without_end_are_cut_off(tmp_path: Path) -> None:
    """An unannounced body is refused as soon as it is too long, while it is still being sent."""
    async with connection(small(tmp_path)) as (reader, writer):
        writer.write(head(transfer_encoding="chunked"))
        for _ in range(20):
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()
        status = await reader.readline()
    assert status.startswith(b"HTTP/1.1 413")


async def test_a_body_that_stops_half_way_is_given_up(tmp_path: Path) -> None:
    """A caller who never finishes gets 408 and holds nothing for longer."""
    async with connection(small(tmp_path, REQUEST_TIMEOUT="0.2")) as (reader, writer):
        writer.write(head(content_length="50") + b'{"query": ')
        await writer.drain()
        status = await reader.readline()
    assert status.startswith(b"HTTP/1.1 408")


async def test_hanging_up_cancels_the_work(tmp_path: Path) -> None:
    """A closed socket cancels what was asked for its caller; the service serves on."""
    stuck = Stuck()
    container = container_of(tmp_path, agent=stuck)
    body = json.dumps(QUESTION).encode()
    async with served(container) as (host, port), asyncio.timeout(20):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head(content_length=str(len(body))) + body)
        await stuck.began.wait()
        assert not stuck.cancelled.is_set()
        writer.close()
        await stuck.cancelled.wait()
        async with httpx.AsyncClient() as client:
            alive = await client.get(f"http://{host}:{port}/health/live")
    assert alive.status_code == 200


async def test_hanging_up_reaches_the_provider_and_is_nobodys_failure(tmp_path: Path) -> None:
    """The attempt ends with its caller: counted as cancelled, and no mark on the provider."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def hang(_provider: HandWritten) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    container = container_of(tmp_path, rows={"one": row(hand_written(hang))})
    body = json.dumps(QUESTION).encode()
    async with served(container) as (host, port), asyncio.timeout(20):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head(content_length=str(len(body))) + body)
        await began.wait()
        writer.close()
        await ended.wait()
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            cancelled = "faultmaven_attempts_cancelled_total"
            assert await sample(client, cancelled, provider="one") == 1
            assert await sample(client, "faultmaven_attempts_in_flight", provider="one") == 0
            health = (await client.get("/health/dependencies")).json()
    assert health["status"] == "healthy"
    assert health["providers"]["one"]["state"] == "unknown"


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    """Undo what the configuration of logging does to the process."""
    names = ("", "faultmaven", "uvicorn", "uvicorn.error", "uvicorn.access")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


class Broken:
    """An agent with a bug, and a key in its hands."""

    async def troubleshoot(
        self, request: TroubleshootRequest, **_circumstances: Any
    ) -> TroubleshootResponse:
        """Fail as nobody foresaw."""
        raise ZeroDivisionError(f"{request.query} {KEY}")


@pytest.mark.usefixtures("_logging_as_it_was")
async def test_an_unexpected_error_is_logged_once_with_its_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The traceback stands in the log under the id the caller got, without the key (S69)."""
    configure_logging("json")
    async with live_client(container_of(tmp_path, agent=Broken())) as client:
        response = await client.post(TROUBLESHOOT, json=QUESTION, headers={"X-Request-ID": "r-77"})
    assert response.status_code == 500
    assert problem(response)["request_id"] == "r-77"
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    (traceback,) = [line for line in lines if "exception" in line]
    assert traceback["request_id"] == "r-77"
    assert "ZeroDivisionError" in traceback["exception"]
    assert KEY not in written
    (request,) = [line for line in lines if line.get("event") == "request"]
    assert (request["status"], request["problem"], request["level"]) == (
        500,
        "internal",
        "warning",
    )
