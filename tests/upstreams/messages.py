"""HTTP messages as data: what a client sent, and what we answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; a repeated field keeps its last value."""

    def __init__(self, pairs: tuple[tuple[str, str], ...] = ()) -> None:
        self.pairs = pairs
        self._values = {name.lower(): value for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        """Read a field."""
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """Walk the names, in small letters."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        """Look for a field."""
        return isinstance(name, str) and name.lower() in self._values

    def __repr__(self) -> str:
        """Show the fields as they came."""
        return f"Headers({self.pairs!r})"


@dataclass(frozen=True)
class Request:
    """One request as it came over the socket.

    Without slots, so that the body is parsed once however often it is looked at.
    """

    method: str
    target: str
    """The path and query exactly as the client wrote them."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    connection: int = 0
    """Which accepted connection carried it, counted from 1."""
    at: float = 0.0
    """When it was complete, on the clock of `time.monotonic`."""

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: The body is not JSON in UTF-8.
        """
        return json.loads(self.body.decode("utf-8"))

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body's JSON object, or an empty one when the body is anything else."""
        try:
            body = self.json
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer`, if the header has that form."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: `Content-Length` is added when it is sent."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def with_headers(self, *pairs: tuple[str, str]) -> "Reply":
        """Give the same reply with these headers added."""
        return Reply(self.status, self.body, (*self.headers, *pairs))

    def head(self, *, length: int | None) -> bytes:
        """Write status line and headers; without a length the body ends with the connection."""
        size = () if length is None else (("content-length", str(length)),)
        return head(self.status, (*self.headers, *size))


def head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Write a status line and headers as HTTP/1.1 has them."""
    phrase = _PHRASES.get(status, "Unknown")
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def json_reply(status: int, body: Any, *headers: tuple[str, str]) -> Reply:
    """Answer with JSON, written compactly."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, text.encode(), (("content-type", "application/json"), *headers))


LAST_CHUNK = b"0\r\n\r\n"
"""The chunk that ends a body."""


def chunk(data: bytes) -> bytes:
    """Frame one chunk; nothing for no data, since an empty chunk would end the body."""
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""
