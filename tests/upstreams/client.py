"""A client that reports exactly what came over the wire: the upstreams' own judge."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from upstreams.messages import LAST_CHUNK, Headers
from upstreams.samples import SAMPLES, STREAM_PATHS, Sample
from upstreams.server import Upstream

PATIENCE = 5.0
"""Seconds without a byte after which the server counts as silent, unless the caller says."""


class End(StrEnum):
    """How the connection ended."""

    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Told:
    """One server-sent event."""

    name: str | None
    text: str

    @property
    def json(self) -> Any:
        """Its data as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Received:
    """Everything the server sent on one connection."""

    raw: bytes
    end: End

    @property
    def status(self) -> int:
        """The status of the first response."""
        return int(self.raw.split(b" ", 2)[1])

    @property
    def headers(self) -> Headers:
        """The headers of the first response."""
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines)
        return Headers(tuple((name, value) for name, _, value in pairs))

    @property
    def body(self) -> bytes:
        """Everything after the first head, as it came."""
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def content(self) -> bytes:
        """The body without the frames of its chunks; of a cut one what came whole."""
        if self.headers.get("transfer-encoding") != "chunked":
            return self.body
        return b"".join(_chunks(self.body))

    @property
    def complete(self) -> bool:
        """Whether a chunked body came to its end."""
        return self.body.endswith(LAST_CHUNK)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)

    @property
    def events(self) -> list["Told"]:
        """The body as server-sent events, remarks left out."""
        lines = self.content.decode().replace("\r\n", "\n").split("\n\n")
        found = (_event(block.split("\n")) for block in lines if block)
        return [event for event in found if event is not None]

    @property
    def lines(self) -> list[Any]:
        """The body as lines of JSON."""
        return [json.loads(line) for line in self.content.splitlines()]


def sample_of(up: Upstream, number: int = 0, **changes: Any) -> Sample:
    """Give a vendor's sample request with fields of its body changed; None takes one out."""
    sample = SAMPLES[up.dialect.name][number].filled(key=up.key, model=up.model)
    body = {name: value for name, value in {**sample.body, **changes}.items() if value is not None}
    return Sample(sample.path, body, sample.headers)


def stream_of(up: Upstream, number: int = 0, **changes: Any) -> Sample:
    """Give a vendor's sample request for a stream, with fields of its body changed."""
    sample = sample_of(up, number, **changes)
    path = STREAM_PATHS.get(up.dialect.name, {}).get(sample.path.rpartition(":")[2])
    if path is not None:
        return Sample(sample.path.rpartition(":")[0] + path, sample.body, sample.headers)
    return Sample(sample.path, {**sample.body, "stream": True}, sample.headers)


async def ask(
    up: Upstream, sample: Sample | None = None, *, patience: float = PATIENCE
) -> Received:
    """Post a sample on a connection of its own and read until the server ends it or is silent."""
    asked = sample or sample_of(up)
    headers = {"content-type": "application/json", **asked.headers}
    body = json.dumps(asked.body).encode()
    data = _request("POST", asked.path, headers=headers, body=body)
    return await speak(up, data, patience=patience)


async def call(
    up: Upstream,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Received:
    """Send any request on a connection of its own."""
    return await speak(up, _request(method, path, headers=headers or {}, body=body))


async def speak(up: Upstream, data: bytes, *, patience: float = PATIENCE) -> Received:
    """Send bytes on a connection of their own and read what comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(up.origin).port)
    try:
        writer.write(data)
        return await _read_all(reader, patience)
    finally:
        writer.close()


def _request(method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> bytes:
    extra = {"host": "x", "content-length": str(len(body)), "connection": "close"}
    lines = [f"{name}: {value}" for name, value in {**extra, **headers}.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


async def _read_all(reader: asyncio.StreamReader, patience: float) -> Received:
    raw = bytearray()
    while True:
        try:
            async with asyncio.timeout(patience):
                piece = await reader.read(1 << 16)
        except TimeoutError:
            return Received(bytes(raw), End.SILENT)
        except ConnectionResetError:
            return Received(bytes(raw), End.RESET)
        if not piece:
            return Received(bytes(raw), End.CLOSED)
        raw += piece


def _chunks(body: bytes) -> Iterator[bytes]:
    """Walk the chunks that came whole, by a reading of RFC 9112 of its own."""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length or len(rest) < length + 2:
            return
        yield rest[:length]
        body = rest[length + 2 :]


def _event(lines: Sequence[str]) -> Told | None:
    values: dict[str, str] = {}
    for line in lines:
        field, _, value = line.partition(":")
        values[field] = value.removeprefix(" ")
    return Told(values.get("event"), values["data"]) if "data" in values else None
