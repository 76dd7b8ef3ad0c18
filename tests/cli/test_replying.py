"""What is written in one piece is, byte for byte, what the server would have written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from faultmaven.cli.gathering import GatheringProtocol

_GET = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
_LAST = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n"


def _head(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def _body(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


_FIVE = (b"content-length", b"5")
_TYPE = (b"content-type", b"text/plain")
_ANSWERS = {
    "whole": [_head(_TYPE, _FIVE), _body(b"hello")],
    "empty": [_head((b"content-length", b"0")), _body(b"")],
    "without a length": [_head(_TYPE), _body(b"hello")],
    "without headers": [{"type": "http.response.start", "status": 200}, _body(b"hello")],
    "in pieces": [_head(_FIVE), _body(b"he", more=True), _body(b"llo")],
    "a stream": [_head(_TYPE), _body(b"he", more=True), _body(b"", more=True), _body(b"llo")],
    "a stream, chunked by name": [
        _head((b"transfer-encoding", b"chunked")),
        _body(b"he", more=True),
        _body(b"llo"),
    ],
    "a stream that does not end": [_head(_TYPE), _body(b"he", more=True)],
    "chunked by name": [_head((b"transfer-encoding", b"chunked")), _body(b"hello")],
    "closing": [_head((b"connection", b"close"), _FIVE), _body(b"hello")],
    "a control character": [_head(_FIVE, (b"x", b"a\x01b")), _body(b"hello")],
    "no content": [_head(status=204), _body(b"")],
    "refused": [_head(_FIVE, status=503), _body(b"later")],
    "too long": [_head(_FIVE), _body(b"hello!")],
    "too short": [_head(_FIVE), _body(b"hell")],
    "another line in a header": [_head(_FIVE, (b"x", b"1\r\ny: 2")), _body(b"hello")],
    "another line in a name": [_head(_FIVE, (b"x: 1\ny", b"2")), _body(b"hello")],
    "a zero in a header": [_head(_FIVE, (b"x", b"\0")), _body(b"hello")],
    "two heads": [_head(_FIVE), _head(_FIVE), _body(b"hello")],
    "body first": [_body(b"hello")],
    "said twice": [_head(_FIVE), _body(b"hello"), _body(b"hello")],
    "nothing": [],
}
_REQUESTS = {
    "one and the last": _GET + _LAST,
    "of the old version": b"GET / HTTP/1.0\r\n\r\n",
    "the head alone": b"HEAD / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n",
    "asked first": b"POST / HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\n"
    b"content-length: 2\r\nconnection: close\r\n\r\nhi",
}


def _app(messages: list[Message]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        if scope["method"] == "POST":
            await receive()
        for message in messages:
            await send(message)

    return app


@asynccontextmanager
async def _served(app: ASGIApp, protocol: type[HttpToolsProtocol]) -> AsyncIterator[int]:
    """A server of this protocol; its port."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*state.tasks)


async def _answered(app: ASGIApp, protocol: type[HttpToolsProtocol], request: bytes) -> bytes:
    async with _served(app, protocol) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
    return answer


@pytest.mark.parametrize("request_", _REQUESTS.values(), ids=_REQUESTS)
@pytest.mark.parametrize("messages", _ANSWERS.values(), ids=_ANSWERS)
async def test_caller_sees_no_difference(messages: list[Message], request_: bytes) -> None:
    """Whatever an application sends, sense or nonsense, and however it was asked."""
    ours = await _answered(_app(messages), GatheringProtocol, request_)
    assert ours == await _answered(_app(messages), HttpToolsProtocol, request_)


async def test_head_that_nothing_follows_is_not_sent() -> None:
    """An application that fails before the body is answered for with 500, not with a cut answer."""
    answer = await _answered(_app([_head(_FIVE)]), GatheringProtocol, _LAST)
    assert answer.startswith(b"HTTP/1.1 500 ")


class _Wire(asyncio.Transport):
    """A transport that notes what it is told to write."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.heard: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self.heard.append(bytes(data))

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing is open."""


async def test_whole_answer_is_one_write() -> None:
    """Head and body leave together."""
    config = uvicorn.Config(_app(_ANSWERS["whole"]), lifespan="off", log_config=None, ws="none")
    config.load()
    state, wire = ServerState(), _Wire()
    protocol = GatheringProtocol(config, state, {})
    protocol.connection_made(wire)
    protocol.data_received(_GET)
    await asyncio.gather(*state.tasks)
    await asyncio.sleep(0)  # what was written in this turn leaves in the next
    protocol.connection_lost(None)
    [answer] = wire.heard
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhello")
