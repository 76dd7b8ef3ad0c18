"""The upstream that takes its time: plain answers after a delay, streams token by token.

`python -m bench.speed.origin PORT DELAY` serves until it is ended; the delay is in seconds. It
knows no more of HTTP than its own clients need.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import httptools
import uvloop

from bench.speed.answers import CHUNK_SECONDS, answer, diagnosis, embedding, events

_MODELS = b'{"object":"list","data":[{"id":"gpt-4o","object":"model","owned_by":"bench"}]}'


def _plain(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
    return head.format(len(body)).encode() + body


_ANSWER, _DIAGNOSIS, _EMBEDDING = _plain(answer()), _plain(diagnosis()), _plain(embedding())
_DIRECTORY = _plain(_MODELS)
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_PIECES = [*(b"%x\r\n%b\r\n" % (len(event), event) for event in events()), b"0\r\n\r\n"]


class Origin(asyncio.Protocol):
    """One connection.

    Args:
        delay: seconds before a plain answer.
    """

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._path = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go to."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Send nothing more."""
        del exc
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """Begin a request."""
        self._path, self._body = url, b""

    def on_body(self, body: bytes) -> None:
        """Keep a part of it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer it: streams at once, plain answers after the delay."""
        if b'"stream":true' in self._body or b'"stream": true' in self._body:
            self._stream(-1)
        else:
            self._loop.call_later(self._delay, self._write, self._plain())

    def _plain(self) -> bytes:
        if self._path.endswith(b"/embeddings"):
            return _EMBEDDING
        if self._path.endswith(b"/models"):
            return _DIRECTORY
        return _DIAGNOSIS if self._path.startswith(b"/diagnosis/") else _ANSWER

    def _stream(self, number: int) -> None:
        """The head with the first two events (role and first token), then one at a time."""
        first = number < 0
        self._write(_STREAM + _PIECES[0] + _PIECES[1] if first else _PIECES[number])
        following = 2 if first else number + 1
        if following < len(_PIECES) and self._transport is not None:
            ending = following >= len(_PIECES) - 3  # finish, [DONE] and the end come with the last
            self._loop.call_later(0 if ending else CHUNK_SECONDS, self._stream, following)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def serve(port: int, delay: float) -> None:
    """Serve on this port of loopback, for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Origin(delay), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
