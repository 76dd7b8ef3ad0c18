"""One request to a stand-in, and the chance to answer it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from faultmaven.services.drill.forms import Form, asks_for_stream, form_of


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, and where the answer goes.

    Attributes:
        form: the wire format that is spoken at the path.
        streaming: whether a stream was asked for.
        writer: the connection; it is closed after the answer.
    """

    form: Form
    streaming: bool
    writer: asyncio.StreamWriter

    @property
    def good(self) -> bytes:
        """The whole good answer."""
        if not self.streaming:
            return self.form.whole
        return b"".join((self.form.head, *self.form.pieces, self.form.tail))

    async def send(self, status: int, body: bytes, *, length: int | None = None) -> None:
        """Answer.

        Args:
            status: HTTP status.
            body: what is sent.
            length: bytes that are promised, where they are not those of ``body``.
        """
        media_type = self.form.stream_type if self.streaming else "application/json"
        await self._write(status, body, ("content-type", media_type), length=length)

    async def fail(self, status: int, said: Any, *headers: tuple[str, str]) -> None:
        """Answer with an error."""
        body = json.dumps(said).encode()
        await self._write(status, body, ("content-type", "application/json"), *headers)

    async def _write(
        self, status: int, body: bytes, *headers: tuple[str, str], length: int | None = None
    ) -> None:
        promised = str(len(body) if length is None else length)
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{name}: {value}" for name, value in headers),
            f"content-length: {promised}",
            "connection: close",
        ]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()


async def read_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call:
    """Read the one request of a connection.

    Raises:
        asyncio.IncompleteReadError: the connection ended before the request did.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    path = urlsplit(head[0].split(" ")[1]).path
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Call(form_of(path), asks_for_stream(path, body), writer)
