"""A caller: HTTP/1.1 over sockets of its own, so that nothing hides what comes back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHAT = "/v1/chat/completions"
"""Where most questions go."""

QUESTION: Mapping[str, Any] = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Why is the disk of node-1 full?"}],
}
"""A question to whoever can answer."""

_HERE = "127.0.0.1"
_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        status: HTTP status; 0 where the connection failed or the caller left.
        seconds: from sending to the last byte.
        body: everything after the head.
        headers: names in lower case.
        whole: whether the body came to its end.
    """

    status: int
    seconds: float
    body: bytes = b""
    headers: Mapping[str, str] | None = None
    whole: bool = True

    @property
    def good(self) -> bool:
        """Whether it is a whole answer; a stream must say that it ended well."""
        if self.status != 200 or not self.whole:  # noqa: PLR2004 - HTTP
            return False
        return not self.body.startswith((b"data:", b":")) or b"data: [DONE]" in self.body

    @property
    def provider(self) -> str:
        """Who answered, as the gateway's header says."""
        return (self.headers or {}).get("x-faultmaven-provider", "")


class Client:
    """Keeps connections and asks on them.

    Args:
        port: where the service listens.
        keep: whether connections are used again.
    """

    def __init__(self, port: int, *, keep: bool = True) -> None:
        self.port = port
        self._keep = keep
        self._idle: list[_Pair] = []

    async def ask(
        self,
        body: Mapping[str, Any] | None = None,
        *,
        path: str = CHAT,
        headers: Mapping[str, str] | None = None,
        leave_after: float | None = None,
    ) -> Reply:
        """Send one request and read the answer to its end.

        Args:
            body: what is posted; `None` makes it a GET.
            path: where.
            headers: further ones.
            leave_after: seconds after which the caller hangs up.
        """
        data = _request(path, body, headers or {}, keep=self._keep)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(leave_after):
                return await self._exchange(data, started)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, _StaleError) as error:
            told = repr(error.__cause__ or error).encode()
            return Reply(0, time.perf_counter() - started, told, whole=False)

    async def aclose(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop()[1].close()
        await asyncio.sleep(0)

    async def _exchange(self, data: bytes, started: float) -> Reply:
        while self._idle:
            pair = self._idle.pop()
            try:
                return await self._speak(pair, data, started)
            except _StaleError:  # closed while it was idle: any client takes another one
                continue
        return await self._speak(await asyncio.open_connection(_HERE, self.port), data, started)

    async def _speak(self, pair: _Pair, data: bytes, started: float) -> Reply:
        reader, writer = pair
        done = False
        try:
            writer.write(data)
            status, headers = await _head(reader)
            body, whole = await _body(reader, headers)
            done = whole and self._keep and headers.get("connection", "") != "close"
        finally:
            if done:
                self._idle.append(pair)
            else:
                writer.close()
        return Reply(status, time.perf_counter() - started, body, headers, whole)


class _StaleError(Exception):
    """A kept connection ended before it said anything."""


def _request(
    path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], *, keep: bool
) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {len(content)}",
        f"connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        if getattr(error, "partial", b"") == b"":
            raise _StaleError from error
        raise
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines if line)
    return int(first.split(" ")[1]), {name.lower(): value for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> tuple[bytes, bool]:
    """The body, and whether it is whole."""
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0"))), True
    body = bytearray()
    try:
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return bytes(body), False
    return bytes(body), True
