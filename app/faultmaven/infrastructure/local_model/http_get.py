"""The one thing we ask of a server nearby: GET, a status and a small body."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_MOST_BYTES: Final = 1 << 20
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status code and at most 1 MiB of body."""

    status: int
    body: bytes


async def get(url: str, *, timeout: float) -> Reply | None:  # noqa: ASYNC109 - one bound for all
    """GET ``url``; ``None`` when nobody answers HTTP there within ``timeout`` seconds.

    Speaks HTTP/1.0, so that the body ends with the connection and is never chunked.
    """
    try:
        async with asyncio.timeout(timeout):
            return _parse(await _exchange(url))
    except (OSError, TimeoutError, ValueError):
        return None


async def _exchange(url: str) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not an HTTP URL")
    port = parts.port or _PORTS[parts.scheme]
    secure = True if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
    try:
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        head = f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n\r\n"
        writer.write(head.encode("ascii"))
        return await _read_all(reader)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    answer = bytearray()
    while len(answer) < _MOST_BYTES and (piece := await reader.read(_MOST_BYTES)):
        answer += piece
    return bytes(answer)


def _parse(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError("not HTTP")
    return Reply(int(rest[:3]), body)
