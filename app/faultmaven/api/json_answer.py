"""The response that nearly every request gets: 200, and a JSON document."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import Response

from faultmaven.api.head import Line

_OK = 200
_TYPE = (b"content-type", b"application/json")


class JSONAnswer(Response):
    """A document that is written already.

    Args:
        body: its bytes.
        headers: what goes with it, beside its length and type; names in lower case.
    """

    def __init__(self, body: bytes, headers: Iterable[Line] = ()) -> None:
        # Not the framework's own, which looks for what cannot be here: that costs as much again.
        self.status_code = _OK
        self.body = body
        self.background = None
        self.raw_headers = [_TYPE, (b"content-length", b"%d" % len(body)), *headers]
