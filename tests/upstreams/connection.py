"""One accepted connection: reads HTTP/1.1 requests, writes anything, dies on command."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import cast

from upstreams.messages import Headers, Request

_LARGEST_HEAD = 1 << 20
_TLS_GREETING = b"\x16"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class BadRequestError(Exception):
    """What arrived is not an HTTP/1.1 request (a TLS greeting, for example)."""


class Connection(asyncio.Protocol):
    """The server's end of one TCP (or TLS) connection.

    A protocol rather than a stream pair, because it must notice at once when the client leaves,
    also while it is itself silent. `serve` runs as a task for as long as the connection lives and
    is cancelled when the client is gone.
    """

    def __init__(
        self,
        number: int,
        *,
        opened: Callable[["Connection"], None],
        serve: Callable[["Connection"], Awaitable[None]],
        left: Callable[["Connection"], None],
        done: Callable[["Connection"], None],
    ) -> None:
        self.number = number
        self.sent = 0
        """Bytes handed to the socket so far."""
        self.task: asyncio.Task[None] | None = None
        self._opened = opened
        self._serve = serve
        self._left = left
        self._done = done
        self._input = asyncio.StreamReader(limit=_LARGEST_HEAD)
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._lost = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    # --- told by the event loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._opened(self)
        self.task = asyncio.ensure_future(self._run())
        self.task.add_done_callback(lambda _: self._finish())

    def data_received(self, data: bytes) -> None:
        """Keep what came until a request is complete."""
        self._input.feed_data(data)

    def eof_received(self) -> bool:
        """Take the client's end of stream for its departure."""
        self._client_gone()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Take a reset for a departure too."""
        del exc
        self._client_gone()
        self._lost.set()
        self._finish()

    def pause_writing(self) -> None:
        """Hold writers back: the client reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._writable.set()

    # --- used by whoever serves ---

    @property
    def ended(self) -> bool:
        """Whether either side has ended the connection."""
        return self._ended

    async def read_request(self) -> Request | None:
        """Read the next request; None when the client has nothing more to ask.

        Raises:
            BadRequestError: The bytes are not HTTP/1.1.
        """
        try:
            raw = await self._read_head()
            method, target, headers = _parse_head(raw)
            if headers.get("expect", "").lower() == "100-continue":
                await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await self._read_body(headers)
        except asyncio.IncompleteReadError:
            return None
        except (asyncio.LimitOverrunError, ValueError, UnicodeDecodeError) as error:
            raise BadRequestError(str(error)) from error
        return Request(method, target, headers, body, self.number, time.monotonic())

    async def write(self, data: bytes) -> None:
        """Send bytes, waiting while the client's buffers are full."""
        assert self._transport is not None
        self._transport.write(data)
        self.sent += len(data)
        await self._writable.wait()

    def close(self) -> None:
        """End the connection in an orderly way once everything written has left."""
        self._ended = True
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End the connection with a TCP reset, dropping what has not left yet."""
        self._ended = True
        if self._transport is None:
            return
        endpoint = self._transport.get_extra_info("socket")
        if endpoint is not None and endpoint.fileno() != -1:
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    async def abort(self) -> None:
        """End the connection and its task now, and wait until the socket is closed."""
        self.close()
        assert self._transport is not None
        assert self.task is not None
        self._transport.abort()
        self.task.cancel()
        await self._lost.wait()
        if not self.task.done():
            await asyncio.wait([self.task])

    # --- inside ---

    async def _run(self) -> None:
        try:
            await self._serve(self)
        finally:
            self.close()

    def _client_gone(self) -> None:
        self._input.feed_eof()
        if not self._ended:
            self._ended = True
            self._left(self)
        if self.task is not None:
            self.task.cancel()

    def _finish(self) -> None:
        """Be done once the socket is closed and nobody serves it any more."""
        if self._lost.is_set() and self.task is not None and self.task.done():
            self._done(self)

    async def _read_head(self) -> bytes:
        first = await self._input.readexactly(1)
        if first == _TLS_GREETING:
            raise BadRequestError("a TLS greeting at a plain port")
        return first + await self._input.readuntil(b"\r\n\r\n")

    async def _read_body(self, headers: Headers) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return await self._read_chunks()
        return await self._input.readexactly(int(headers.get("content-length", "0")))

    async def _read_chunks(self) -> bytes:
        pieces = []
        while size := int((await self._input.readuntil(b"\r\n")).split(b";")[0], 16):
            pieces.append(await self._input.readexactly(size))
            await self._input.readexactly(2)
        while await self._input.readuntil(b"\r\n") != b"\r\n":
            pass
        return b"".join(pieces)


def _parse_head(raw: bytes) -> tuple[str, str, Headers]:
    lines = raw.decode("latin-1").split("\r\n")
    method, target, version = lines[0].split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not HTTP/1: {lines[0]!r}")
    fields = (line.partition(":") for line in lines[1:] if line)
    return (
        method,
        target,
        Headers(tuple((name.strip(), value.strip()) for name, _, value in fields)),
    )
