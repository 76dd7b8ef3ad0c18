"""What happens to every request, as plain ASGI: an id, and a record of its end."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from os import urandom
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven.api.errors import REQUEST_ID_HEADER
from faultmaven.api.head import header
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.request import begin_request

OVERHEAD_HEADER = "X-FaultMaven-Overhead-Ms"

logger = logging.getLogger(__name__)

_ID_HEADER, _OVERHEAD = (name.lower().encode() for name in (REQUEST_ID_HEADER, OVERHEAD_HEADER))
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUIET = ("/health", "/metrics")  # asked every few seconds by machines
_PATH_SHOWN = 200  # characters

Clock = Callable[[], float]


class RequestMiddleware:
    """Names each request, times it, and tells metrics and log how it ended.

    A caller's own ``X-Request-ID`` is kept if it is 1 to 128 letters, digits and ``. _ : -``.
    Every response carries the id and the milliseconds of our own work up to its first byte.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, clock: Clock = time.monotonic) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only requests are looked at."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # As a GET whose body the server then leaves out: monitors and wget --spider ask so.
            scope = {**scope, "method": "GET"}
        exchange = _Exchange(scope, send, self._clock)
        self._metrics.request_began()
        try:
            await self._app(scope, receive, exchange.send)
        finally:
            self._metrics.request_ended(
                exchange.request,
                route=exchange.route,
                status=exchange.status,
                seconds=exchange.elapsed,
            )
            exchange.log()


class _Exchange:
    """One request and what becomes of it."""

    def __init__(self, scope: Scope, send: Send, clock: Clock) -> None:
        self._scope = scope
        self._send = send
        self._clock = clock
        self.request = begin_request(_request_id(scope), clock())
        # What stands when the application fails and the server has to answer for it.
        self.status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._answered = False

    @property
    def elapsed(self) -> float:
        """Seconds since the request came."""
        return self._clock() - self.request.started_at

    @property
    def overhead_ms(self) -> float:
        """Milliseconds so far that were not spent on providers."""
        return max(0.0, self.elapsed * 1000 - self.request.provider_ms)

    @property
    def route(self) -> str:
        """Template of the path, from a closed set."""
        return str(getattr(self._scope.get("route"), "path", "other"))

    async def send(self, message: Message) -> None:
        """Pass a message on; the start of the response gets our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._answered = True
            spent = max(0.0, self.overhead_ms - self.request.first_token_ms)
            message["headers"] = [
                *message["headers"],
                (_ID_HEADER, self.request.request_id.encode("ascii")),
                (_OVERHEAD, b"%.3f" % spent),
            ]
        await self._send(message)

    def log(self) -> None:
        """Write the request's line; healthy answers to machines only for those who look closely."""
        level = self._level()
        if not logger.isEnabledFor(level):
            return
        request, path, took = self.request, _shown_path(self._scope), self.elapsed * 1000
        problem = request.problem if self._answered else "internal"
        reason = "".join(f": {part}" for part in (problem, request.detail) if part)
        fields = {
            "event": "request",
            "method": self._scope["method"],
            "path": path,
            "route": self.route,
            "status": self.status,
            "duration_ms": round(took, 1),
            "overhead_ms": round(self.overhead_ms, 1),
            "attempts": request.attempts,
            "problem": problem,
            "detail": request.detail,
        }
        logger.log(
            level,
            "%s %s %d in %.0f ms%s",
            self._scope["method"],
            path,
            self.status,
            took,
            reason,
            extra={"fields": {name: value for name, value in fields.items() if value is not None}},
        )

    def _level(self) -> int:
        if self.request.shed:
            return logging.DEBUG
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return logging.WARNING
        quiet = self.status < HTTPStatus.BAD_REQUEST and self.route.startswith(_QUIET)
        return logging.DEBUG if quiet else logging.INFO


def _request_id(scope: Scope) -> str:
    """The caller's own id if it is fit for logs and headers, else a new one."""
    given = header(scope, _ID_HEADER)
    return given if given and _ID.fullmatch(given) else f"req-{urandom(16).hex()}"


def _shown_path(scope: Scope) -> str:
    """The path as it was sent: percent-encoded, so that it is one line, and without its query."""
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("ascii", "backslashreplace") if raw else quote(scope["path"])
    return path[:_PATH_SHOWN]
