"""The response that nearly every request gets: 200, and a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

_TYPE = (b"content-type", b"application/json")


class JSONAnswer(Response):
    """A document that is written already.

    Args:
        body: its bytes.
        headers: what goes with it, beside its length and type.
    """

    def __init__(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        # Not the framework's own, which looks for what cannot be here: that costs as much again.
        self.status_code = HTTPStatus.OK.value
        self.body = body
        self.background = None
        self.raw_headers = [
            _TYPE,
            (b"content-length", b"%d" % len(body)),
            *(
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in (headers or {}).items()
            ),
        ]
