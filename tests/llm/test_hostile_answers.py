"""Answers that were written by nobody's server: cut, endless, or meant to be costly."""

import asyncio
import gzip
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from faultmaven.errors import (
    ProviderConnectionError,
    ProviderProtocolError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.transport import Engine, EngineName, Transport, new_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest
from llm.questions import ENGINES

_HEAD = b"HTTP/1.1 200 OK\r\n"
_PARTIAL = _HEAD + b'\r\n{"partial":'
_CHUNKED = _HEAD + b"transfer-encoding: chunked\r\n\r\n"
_GZIP = _HEAD + b"content-encoding: gzip\r\n"

_Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Name each engine in turn."""
    name: EngineName = request.param
    return name


@asynccontextmanager
async def _served(write: _Write) -> AsyncIterator[WireRequest]:
    """Ask a server that answers each request with what is written."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await write(writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield WireRequest("GET", f"http://127.0.0.1:{port}/", {})


def _bytes(*pieces: bytes, end: bool = True) -> _Write:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)
        if end:
            writer.write_eof()

    return write


def _endless(start: bytes, piece: bytes) -> _Write:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return write


async def _reset(writer: asyncio.StreamWriter) -> None:
    writer.write(_PARTIAL)
    await writer.drain()
    await asyncio.sleep(0.05)  # what was sent is to be read before
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_an_answer_without_a_length_ends_with_its_connection(transport: Transport) -> None:
    """A server that ends the connection in good order has said all it had to say."""
    async with _served(_bytes(_PARTIAL, b"1}")) as request:
        assert (await transport.send(request, timeout=5)).body == b'{"partial":1}'


async def test_a_timeout_completes_nothing(transport: Transport) -> None:
    """What came until then is no answer, though it never said how much there was to be."""
    async with _served(_bytes(_PARTIAL, end=False)) as request:
        with pytest.raises(ProviderTimeoutError):
            await transport.send(request, timeout=0.3)


async def test_a_reset_completes_nothing(transport: Transport) -> None:
    """A connection that was lost is told as such."""
    async with _served(_reset) as request:
        with pytest.raises(ProviderConnectionError, match="the connection was lost"):
            await transport.send(request, timeout=5)


async def test_closing_the_transport_completes_nothing(transport: Transport) -> None:
    """Whoever reads while all connections are closed has read half an answer, and is told."""
    async with _served(_bytes(_PARTIAL, end=False)) as request, transport.stream(request) as answer:
        assert await anext(answer.chunks) == b'{"partial":'
        reading = asyncio.create_task(anext(answer.chunks))
        await asyncio.sleep(0)
        await transport.aclose()
        with pytest.raises(ProviderConnectionError):
            await reading


async def test_discarding_the_transport_completes_nothing(transport: Engine) -> None:
    """The same, for who cannot wait."""
    async with _served(_bytes(_PARTIAL, end=False)) as request, transport.stream(request) as answer:
        assert await anext(answer.chunks) == b'{"partial":'
        reading = asyncio.create_task(anext(answer.chunks))
        await asyncio.sleep(0)
        transport.discard()
        with pytest.raises(ProviderConnectionError):
            await reading


@pytest.mark.parametrize(
    "scenario",
    [
        test_a_timeout_completes_nothing,
        test_a_reset_completes_nothing,
        test_closing_the_transport_completes_nothing,
        test_discarding_the_transport_completes_nothing,
    ],
)
def test_the_same_on_uvloop(
    scenario: Callable[[Engine], Awaitable[None]], engine: EngineName
) -> None:
    """The event loop that serves tells of a connection's end in its own way."""

    async def play() -> None:
        transport = new_transport(engine)
        await scenario(transport)
        await transport.aclose()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip, gzip", gzip.compress(gzip.compress(b"hi") + bytes(1 << 20))),
        (b"deflate, gzip", gzip.compress(b"hi")),
        (b", ".join([b"gzip"] * 1500), gzip.compress(b"hi")),
        (b"gzip", gzip.compress(b"hello" * 1000)[:-12]),
        (b"gzip", gzip.compress(b"") * 2000),
        (b"deflate", b"x"),
    ],
)
async def test_compression_that_is_broken(transport: Transport, coding: bytes, body: bytes) -> None:
    """Codings in codings, what was cut, and what is nothing but beginnings."""
    wire = _bytes(_HEAD, b"content-encoding: ", coding, b"\r\n\r\n", body)
    async with _served(wire) as request:
        with pytest.raises(ProviderProtocolError, match="compression is broken"):
            await transport.send(request, timeout=5)
        with pytest.raises(ProviderProtocolError, match="compression is broken"):
            async with transport.stream(request) as answer:
                await answer.read()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (gzip.compress(b"a ") + gzip.compress(b"b") + bytes(100), b"a b"),
        (b"", b""),
    ],
)
async def test_compression_that_is_whole(transport: Transport, body: bytes, text: bytes) -> None:
    """Gzip may come in several members, and padded; an empty answer is compressed by nobody."""
    async with _served(_bytes(_GZIP, b"\r\n", body)) as request:
        assert (await transport.send(request, timeout=5)).body == text


async def test_garbage_behind_an_answer_has_an_end(transport: Transport) -> None:
    """Bytes that hold nothing count as much as those that do."""
    wire = _endless(_GZIP + b"\r\n" + gzip.compress(b"hi"), bytes(1 << 20))
    async with _served(wire) as request:
        with pytest.raises(ProviderProtocolError, match="larger than 32 MiB"):
            async with transport.stream(request) as answer:
                await answer.read()


@pytest.mark.parametrize(
    "start",
    [
        _HEAD + b"x: ",
        _CHUNKED + b"2\r\nhi\r\n0\r\nx-t: ",
        _CHUNKED + b"2\r\nhi\r\n2;x=",
    ],
)
async def test_what_is_about_an_answer_has_an_end(start: bytes, transport: Transport) -> None:
    """Heads, trailers and a chunk's extensions without an end are no HTTP."""
    async with _served(_endless(start, b"a" * 8192)) as request:
        with pytest.raises(ProviderProtocolError, match="not HTTP"):
            await transport.send(request, timeout=5)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 2OO OK\r\n\r\n",
        _HEAD + b"x y: z\r\ncontent-length: 2\r\n\r\nhi",
        _HEAD + b"content-length: 2x\r\n\r\nhi",
        _CHUNKED + b"two\r\nhi\r\n0\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_told_as_that(transport: Transport, answer: bytes) -> None:
    """Another protocol, or this one badly spoken, is no cut connection."""
    async with _served(_bytes(answer)) as request:
        with pytest.raises(ProviderProtocolError, match="not HTTP"):
            await transport.send(request, timeout=5)


@pytest.mark.parametrize("answer", [b"", _HEAD, _CHUNKED + b"2\r\nhi\r\n"])
async def test_what_was_cut_is_told_as_that(transport: Transport, answer: bytes) -> None:
    """A good beginning is HTTP; it is only not whole."""
    async with _served(_bytes(answer)) as request:
        with pytest.raises(ProviderConnectionError, match="closed before the answer was whole"):
            await transport.send(request, timeout=5)


async def test_an_answer_that_was_left_is_read_no_further(transport: Transport) -> None:
    """The connection may carry somebody else's answer by then, which is theirs alone."""
    wire = _bytes(_HEAD, b"content-length: 2\r\n\r\nhi", end=False)
    async with _served(wire) as request:
        async with transport.stream(request) as left:
            await asyncio.sleep(0.02)  # until all of it is there
        async with transport.stream(request) as answer:
            with pytest.raises(ProviderConnectionError, match="left before it was read"):
                await anext(left.chunks)
            assert (await answer.read()).body == b"hi"


async def test_a_waiting_reader_is_told_that_the_answer_was_left(transport: Transport) -> None:
    """Whoever still waits for a piece waits no longer."""
    async with _served(_bytes(_PARTIAL, end=False)) as request:
        async with transport.stream(request) as answer:
            assert await anext(answer.chunks)
            reading = asyncio.create_task(anext(answer.chunks))
            await asyncio.sleep(0.01)
        with pytest.raises(ProviderConnectionError):
            await reading
