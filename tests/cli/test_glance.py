"""What is told at a glance is what the parser would have told, or nothing."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from faultmaven.cli.glance import glance

_LINES = (
    b"Host: here:8000",
    b"host:here",
    b"X-Request-ID: Req-1a",
    b"Content-Type: application/json",
    b"Content-Length: 2",
    b"content-length: 3",
    b"Content-Length: +2",
    b"Content-Length: 2 ",
    b"Content-Length:",
    b"Connection: keep-alive",
    b"Connection: close",
    b"Proxy-Connection: close",
    b"Transfer-Encoding: chunked",
    b"Expect: 100-continue",
    b"Upgrade: websocket",
    b"Accept: */*",
    b"X-Empty:",
    b"X Space: 1",
    b" folded",
    b"X-Tab:\tone",
    b"X-Two:  two",
    b"X-Bare: a\rb",
    b"X-Null: a\0b",
    b"nothing",
)
_FIRST = (
    b"POST /v1/messages HTTP/1.1",
    b"POST /v1/messages?a=b HTTP/1.1",
    b"POST /v1/%6dessages HTTP/1.1",
    b"POST /v1/messages HTTP/1.0",
    b"POST http://here/v1/messages HTTP/1.1",
    b"GET /v1/messages HTTP/1.1",
    b"POST  /v1/messages HTTP/1.1",
)


class _Told:
    """What a parser tells of one packet."""

    def __init__(self, packet: bytes) -> None:
        self.url, self.body = b"", b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.messages = 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(packet)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages += 1

    def scope(self) -> dict[str, Any]:
        """As `glance` tells it."""
        method, path = self.parser.get_method().decode(), self.url.decode()
        return {"method": method, "path": path, "headers": self.headers}


def _packet(*lines: bytes, first: bytes = _FIRST[0], body: bytes = b"hi") -> bytes:
    return b"\r\n".join((first, *lines, b"", body))


@given(
    first=st.sampled_from(_FIRST[:1] * 9 + _FIRST),
    lines=st.lists(st.sampled_from(_LINES[:5] * 3 + _LINES), max_size=7),
    body=st.sampled_from((b"hi",) * 5 + (b"", b"h", b"hi!", b"hi\r\n", b"\r\n\r\n", b"h\xff")),
)
@example(first=_FIRST[0], lines=[b"Content-Length: 2"], body=b"hi")
def test_what_is_told_is_what_the_parser_tells(
    first: bytes, lines: list[bytes], body: bytes
) -> None:
    """One whole request with that head, which keeps the connection, and not a byte more."""
    packet = _packet(*lines, first=first, body=body)
    told = glance(packet)
    if told is None:
        return
    parsed = _Told(packet)
    assert told == parsed.scope()
    assert parsed.messages == 1
    assert parsed.parser.should_keep_alive()
    assert not parsed.parser.should_upgrade()
    assert len(parsed.body) == len(body)


@pytest.mark.parametrize(
    "lines",
    [
        (b"Host: 127.0.0.1:8000", b"Content-Type: application/json", b"Content-Length: 2"),
        (b"host: h", b"connection: keep-alive", b"content-length: 2", b"X-Request-ID: Req-1"),
        (b"Content-Length: 2",),
    ],
)
def test_what_clients_send_is_told(lines: tuple[bytes, ...]) -> None:
    """A question as a load generator, httpx and the plainest client send it."""
    packet = _packet(*lines)
    assert glance(packet) == _Told(packet).scope()


@pytest.mark.parametrize(
    "packet",
    [
        _packet(b"Content-Length: 2", b"Content-Length: 2"),
        _packet(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        _packet(b"Content-Length: 2", b"Expect: 100-continue"),
        _packet(b"Content-Length: 2", b"Connection: close"),
        _packet(b"Content-Length: 2", b"Connection: Upgrade"),
        _packet(b"Content-Length: 2", b"Proxy-Connection: close"),
        _packet(b"Content-Length: 2", b"X Space: 1"),
        _packet(b"Content-Length: 2", b" folded"),
        _packet(b"Content-Length: 2", body=b"hi" + _packet(b"Content-Length: 2")),
        _packet(b"Content-Length: 2", body=b"h"),
        _packet(b"Host: here"),
        _packet(b"Content-Length: 2", first=b"GET / HTTP/1.1"),
        _packet(b"Content-Length: 2", first=b"POST / HTTP/1.0"),
        _packet(b"Content-Length: 2")[:-6],
        b"",
        b"\r\n\r\n",
    ],
)
def test_everything_unusual_is_left_to_the_parser(packet: bytes) -> None:
    """Among it whatever two readers might cut in two different places."""
    assert glance(packet) is None
