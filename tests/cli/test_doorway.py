"""A server that asks at the door answers refusals itself, and leaves everything else as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.server import ServerState

from faultmaven.cli.doorway import DoorProtocol

_REFUSED = b"content-length: 4\r\n\r\nfull"
_POST = b"POST /asked HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi"
_GET = b"GET /asked HTTP/1.1\r\nhost: here\r\n\r\n"
_OLD = b"POST /asked HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi"


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers some time later."""
    del receive
    assert scope["type"] == "http"
    await asyncio.sleep(0.01)
    headers = [(b"content-length", b"6")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"served"})


class _Full:
    """Refuses whatever is posted; only what the parser has read, unless it is shut."""

    def __init__(self, *, is_shut: bool) -> None:
        self.is_shut = is_shut

    def refusal(self, scope: Any) -> bytes | None:
        """Say so."""
        return _REFUSED if scope["method"] == "POST" else None


@pytest.fixture(params=[True, False], ids=["at a glance", "by the parser"])
def is_shut(request: pytest.FixtureRequest) -> bool:
    """Whether requests may be refused at a glance."""
    return bool(request.param)


@asynccontextmanager
async def _connected(
    state: ServerState, *, is_shut: bool = True, keep_alive: int = 5
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that is full."""
    config = uvicorn.Config(
        _app, lifespan="off", log_config=None, ws="none", timeout_keep_alive=keep_alive
    )
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: DoorProtocol(config, state, {"door": _Full(is_shut=is_shut)}), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()
        await asyncio.gather(*state.tasks)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def test_answers_come_in_the_order_of_their_requests() -> None:
    """Also of several in one packet, some of them refused, whose bodies are passed over."""
    async with _connected(ServerState()) as (reader, writer):
        writer.write(_POST + _POST + _GET + _POST + _GET)
        answers = [await _answer(reader) for _ in range(5)]
    refused, served = (503, b"full"), (200, b"served")
    # Whoever came behind one that is served goes on to the application, which may refuse, too.
    assert answers == [refused, refused, served, served, served]


async def test_a_refusal_needs_the_head_alone_and_no_task() -> None:
    """It is there before the body is, and the connection goes on."""
    state = ServerState()
    async with _connected(state) as (reader, writer):
        writer.write(_POST[:-2])
        assert await _answer(reader) == (503, b"full")
        assert not state.tasks
        writer.write(b"hi" + _GET)
        assert await _answer(reader) == (200, b"served")
    assert state.total_requests == 2


async def test_the_connection_goes_on_after_a_refusal(*, is_shut: bool) -> None:
    """Whoever waits for each answer gets the right one, refused or served, time and again."""
    state = ServerState()
    async with _connected(state, is_shut=is_shut) as (reader, writer):
        for request, answer in ((_POST, (503, b"full")), (_GET, (200, b"served"))) * 3:
            writer.write(request)
            assert await _answer(reader) == answer
    assert state.total_requests == 6


async def test_a_body_is_no_request_whatever_it_looks_like() -> None:
    """Not even where its own request is answered already."""
    head = b"POST /asked HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(_POST)
    async with _connected(ServerState()) as (reader, writer):
        writer.write(head)
        assert await _answer(reader) == (503, b"full")
        writer.write(_POST)
        await asyncio.sleep(0.01)
        writer.write(_GET)
        assert await _answer(reader) == (200, b"served")


async def test_nobody_is_refused_before_who_came_earlier_is_served() -> None:
    """A request that comes while another is served waits for its answer."""
    async with _connected(ServerState()) as (reader, writer):
        writer.write(_GET)
        await asyncio.sleep(0.002)
        writer.write(_POST)
        assert await _answer(reader) == (200, b"served")
        assert (await _answer(reader))[0] in {200, 503}


async def test_who_is_served_after_a_refusal_is_not_idle(*, is_shut: bool) -> None:
    """The time a connection may be idle ends with the next request, even one in the same packet."""
    async with _connected(ServerState(), is_shut=is_shut, keep_alive=0) as (reader, writer):
        writer.write(_POST + _GET)
        assert await _answer(reader) == (503, b"full")
        assert await _answer(reader) == (200, b"served")


@pytest.mark.parametrize("request_", [_OLD, _POST], ids=["of the old version", "while it drains"])
async def test_a_connection_that_ends_is_ended_on_the_usual_way(request_: bytes) -> None:
    """Whose connection is closed after the answer goes on to the application."""
    state = ServerState()
    state.default_headers = [CLOSE_HEADER] if request_ is _POST else []
    async with _connected(state) as (reader, writer):
        writer.write(request_)
        answer = await reader.read()
    assert answer.endswith(b"served")
    assert answer.lower().count(b"connection: close\r\n") == 1


async def test_who_sends_the_body_after_the_refusal_may_be_idle_no_longer_than_others() -> None:
    """The connection is closed once nothing came for so long."""
    async with _connected(ServerState(), keep_alive=1) as (reader, writer):
        writer.write(_POST[:-2])
        assert await _answer(reader) == (503, b"full")
        writer.write(b"hi")
        assert await reader.read() == b""


async def test_who_waits_to_be_asked_for_the_body_is_told_that_the_connection_ends() -> None:
    """Else the next request could be taken for the body that was never sent."""
    async with _connected(ServerState()) as (reader, writer):
        writer.write(_POST[:-4] + b"expect: 100-continue\r\n\r\n")
        answer = await reader.read()
    assert answer.endswith(b"served")
    assert b"\r\nconnection: close\r\n" in answer


async def test_a_head_without_an_end_is_refused() -> None:
    """Whoever goes on and on about headers is told, and the connection ends."""
    async with _connected(ServerState()) as (reader, writer):
        writer.write(_GET[:-2])
        for number in range(8):  # with the last one it is too much
            writer.write(b"x-%d: " % number + b"y" * 8200 + b"\r\n")
            await asyncio.sleep(0.001)
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.endswith(b"too large.\n")


async def test_a_large_head_is_served() -> None:
    """As large as any other server takes them."""
    async with _connected(ServerState()) as (reader, writer):
        writer.write(_GET[:-2] + b"cookie: " + b"y" * 30_000)
        await asyncio.sleep(0.01)
        writer.write(b"y" * 30_000 + b"\r\n\r\n")
        assert await _answer(reader) == (200, b"served")
