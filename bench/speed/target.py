"""What is asked where: a question for one address, as the load generators need it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_PLACE = "#"
"""Stands in a body where the number of the question goes."""


@dataclass(frozen=True, slots=True)
class Target:
    """A request that can be sent many times.

    Attributes:
        port: on loopback.
        path: of the URL.
        body: what is posted; `#` in it becomes the number of the request, so that no two that
            are in flight are the same, and neither a cache nor a shared call can answer for them.
        headers: beside those of any request.
    """

    port: int
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it goes."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def content(self, number: int) -> bytes:
        """The body of request number so-and-so."""
        return json.dumps(self.body).replace(_PLACE, str(number)).encode()

    def request(self, number: int) -> bytes:
        """Request number so-and-so, as HTTP/1.1 writes it."""
        content = self.content(number)
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "content-type: application/json",
            f"content-length: {len(content)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def streaming(self) -> Target:
        """The same question, answered token by token."""
        return replace(self, body={**self.body, "stream": True})
