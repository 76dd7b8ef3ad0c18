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
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def headers_for(self, request_id: bytes) -> list[tuple[bytes, bytes]]:
        """The headers, for one request."""
        return [(name, value.replace(_NAMELESS, request_id)) for name, value in self.headers]

    def length(self) -> tuple[int, int]:
        """Bytes of the body without the request's id, and how often it is in there."""
        names = self.body.count(_NAMELESS)
        return len(self.body) - names * len(_NAMELESS), names

    def text(self) -> bytes:
        """Headers and body, but for the body's length, which comes before them."""
        named = [*self.headers, (_ID_HEADER, _NAMELESS)]
        return b"%b\r\n%b" % (b"".join(b"%b: %b\r\n" % line for line in named), self.body)


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
        self._texts: dict[str, tuple[bytes, int, int]] = {}
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
            self._texts[path] = refusal.text(), *refusal.length()
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
        known = self._texts.get(path)
        if known is None:
            return None
        self._say()
        text, length, names = known
        length += names * len(request_id)
        return b"content-length: %d\r\n%b" % (length, text.replace(_NAMELESS, request_id))

    def _written(self, path: str, scope: Scope) -> _Refusal:
        failure = noted_failure(self._error, instance=path, request_id=_NAMELESS.decode())
        response = shaped(Request(scope), failure)
        return _Refusal(
            response.status_code,
            [header for header in response.raw_headers if header[0] != b"content-length"],
            bytes(response.body),
        )

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
