"""Refusals of a service that is full: they have to cost next to nothing.

At three times the load that can be carried, two of three requests are refused. What each of them
costs is taken from those that are served, so it is written once and sent again and again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from starlette.requests import Request
from starlette.types import Scope, Send

from faultmaven.api.errors import REQUEST_ID_HEADER, noted_failure, shaped
from faultmaven.errors import FaultMavenError
from faultmaven.infrastructure.observability.request import require_request

logger = logging.getLogger(__name__)

_NAMELESS = b"req-to-be-named"  # stands for the request's id in what is written once
_ID_HEADER = REQUEST_ID_HEADER.lower().encode()
_PAUSE = 1.0  # seconds between two lines of the log


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An operation's refusal, all but the request's id.

    Attributes:
        status: of the response.
        headers: that it has.
        body: of the response; like a header, it may have `_NAMELESS` in it.
        text: headers and body, but for the body's length, which comes before them.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    text: bytes

    def headers_for(self, request_id: bytes) -> list[tuple[bytes, bytes]]:
        """The headers, for one request."""
        return [(name, value.replace(_NAMELESS, request_id)) for name, value in self.headers]

    def text_for(self, request_id: bytes) -> bytes:
        """Headers and body as bytes, for one request."""
        longer = len(request_id) - len(_NAMELESS)
        length = len(self.body) + longer * self.body.count(_NAMELESS)
        return b"content-length: %d\r\n%b" % (length, self.text.replace(_NAMELESS, request_id))


class Shedding:
    """Refuses requests, each in the form of its protocol, and says so in the log now and then.

    Args:
        error: why they are refused.
        clock: monotonic seconds.
    """

    def __init__(
        self, error: FaultMavenError, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._error = error
        self._clock = clock
        self._refusals: dict[str, _Refusal] = {}
        self._unsaid = 0
        self._said = -_PAUSE

    @property
    def problem(self) -> str:
        """Stable name of why requests are refused."""
        return self._error.slug

    async def refuse(self, path: str, scope: Scope, send: Send) -> None:
        """Answer one request.

        Args:
            path: one of a closed set, whose refusals are kept.
            scope: of the request; from now on it knows its route.
            send: where the answer goes.
        """
        scope["route"] = SimpleNamespace(path=path)
        refusal = self._refusals.get(path)
        if refusal is None:
            refusal = self._refusals[path] = self._written(path, scope)
        self._say()
        came = require_request()
        came.problem, came.shed = self._error.slug, True
        request_id = came.request_id.encode("ascii")
        body = refusal.body.replace(_NAMELESS, request_id)
        headers = [
            *refusal.headers_for(request_id),
            (b"content-length", b"%d" % len(body)),
        ]
        start = {"type": "http.response.start", "status": refusal.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def text(self, path: str, request_id: bytes) -> bytes | None:
        """The same refusal as bytes from the first header on; ``None`` before the first one.

        Args:
            path: one of a closed set, whose refusals are kept.
            request_id: of the request.
        """
        refusal = self._refusals.get(path)
        if refusal is None:
            return None
        self._say()
        return refusal.text_for(request_id)

    def _written(self, path: str, scope: Scope) -> _Refusal:
        failure = noted_failure(self._error, instance=path, request_id=_NAMELESS.decode())
        response = shaped(Request(scope), failure)
        headers = [line for line in response.raw_headers if line[0] != b"content-length"]
        named = [*headers, (_ID_HEADER, _NAMELESS)]
        body = bytes(response.body)
        text = b"%b\r\n%b" % (b"".join(b"%b: %b\r\n" % line for line in named), body)
        return _Refusal(response.status_code, headers, body, text)

    def _say(self) -> None:
        """One line a second at most: a flood of them would be a load of its own."""
        self._unsaid += 1
        now = self._clock()
        if now - self._said < _PAUSE:
            return
        fields = {"event": "shed", "requests": self._unsaid}
        logger.warning(
            "Refused %d requests: %s", self._unsaid, self._error, extra={"fields": fields}
        )
        self._unsaid, self._said = 0, now
