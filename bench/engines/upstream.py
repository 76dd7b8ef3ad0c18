"""A server that answers as a vendor would, as cheaply as it can.

``/whole`` gives about 1 KB of JSON at once, ``/stream`` an event every two milliseconds.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from typing import cast

import uvloop

PIECES = 40
"""Events of one stream."""

_PAUSE = 0.002  # seconds
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_TEXT = b'{"choices":[{"message":{"content":"' + b"The disk is full. " * 55 + b'"}}]}'
_WHOLE = (
    b"HTTP/1.1 200 OK\r\nserver: bench\r\ndate: Mon, 23 Nov 2026 03:00:00 GMT\r\n"
    b"content-type: application/json\r\nx-request-id: 0123456789\r\nx-ratelimit-remaining: 9\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_EVENT = b'data: {"choices":[{"delta":{"content":"The disk is full. "}}]}\n\n'
_CHUNK = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)
_LAST = b"0\r\n\r\n"


class _Served(asyncio.Protocol):
    def __init__(self) -> None:
        self._seen = b""
        self._sender: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._sender is not None:
            self._sender.cancel()

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or len(body) < int(length[1] if length else 0):
            return
        self._seen = b""
        if b" /whole" in head:
            self._transport.write(_WHOLE)
        else:
            self._sender = asyncio.create_task(self._send())

    async def _send(self) -> None:
        self._transport.write(_STREAM)
        for _ in range(PIECES):
            self._transport.write(_CHUNK)
            await asyncio.sleep(_PAUSE)
        self._transport.write(_LAST)


async def _serve(certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(_Served, "127.0.0.1", 0, backlog=4096)
    secure = await loop.create_server(_Served, "127.0.0.1", 0, backlog=4096, ssl=context)
    print(*(server.sockets[0].getsockname()[1] for server in (plain, secure)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
