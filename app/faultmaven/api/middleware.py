"""What happens to every request, as plain ASGI: an id, and a record of its end."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven.api.errors import REQUEST_ID_HEADER
from faultmaven.api.random_ids import random_id
from faultmaven.infrastructure.observability.journal import Journal
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.request import begin_request

OVERHEAD_HEADER = "X-FaultMaven-Overhead-Ms"

journal = Journal(__name__)

_ID_HEADER, _OVERHEAD = (name.lower().encode() for name in (REQUEST_ID_HEADER, OVERHEAD_HEADER))
_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_QUIET = ("/health", "/metrics")  # asked every few seconds by machines
_PATH_SHOWN = 200  # characters
_REFUSED, _FAILED = 400, 500  # the least status of each kind

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
            self._end(exchange)

    def _end(self, exchange: _Exchange) -> None:
        request, status = exchange.request, exchange.status
        seconds = self._clock() - request.started_at
        route = exchange.route()
        self._metrics.request_ended(request, route=route, status=status, seconds=seconds)
        exchange.log(route, seconds * 1000)


class _Exchange:
    """One request and what becomes of it."""

    def __init__(self, scope: Scope, send: Send, clock: Clock) -> None:
        self._scope = scope
        self._send = send
        self._clock = clock
        self._id = request_id_of(scope)
        self.request = begin_request(self._id.decode("ascii"), clock())
        # What stands when the application fails and the server has to answer for it.
        self.status = _FAILED

    def route(self) -> str:
        """Template of the path, from a closed set."""
        matched = self._scope.get("route")
        return "other" if matched is None else str(getattr(matched, "path", "other"))

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on; the start of the response gets our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            request = self.request
            request.answered = True
            elapsed = (self._clock() - request.started_at) * 1000
            spent = max(0.0, elapsed - request.provider_ms - request.first_token_ms)
            message["headers"] = [
                *message["headers"],
                (_ID_HEADER, self._id),
                (_OVERHEAD, b"%.3f" % spent),
            ]
        return self._send(message)

    def log(self, route: str, took: float) -> None:
        """Write the request's line; healthy answers to machines only for those who look closely.

        Args:
            route: template of its path.
            took: milliseconds from its arrival to the end of the response.
        """
        method, path, detail = self._scope["method"], _shown_path(self._scope), self.request.detail
        problem = self.request.problem if self.request.answered else "internal"
        known = f": {problem}" if problem else ""
        journal.tell(
            self._level(route),
            f"{method} {path} {self.status} in {took:.0f} ms{known}"
            + (f": {detail}" if detail else ""),
            None if detail else f"{method} {path} 200 in 1 ms{known}",
            lambda: self._fields(path, route, took, problem),
        )

    def _fields(self, path: str, route: str, took: float, problem: str | None) -> dict[str, object]:
        """The request for a machine; what is not known is left out."""
        request = self.request
        known = {
            "event": "request",
            "method": self._scope["method"],
            "path": path,
            "route": route,
            "status": self.status,
            "duration_ms": round(took, 1),
            "overhead_ms": round(max(0.0, took - request.provider_ms), 1),
            "attempts": request.attempts,
            "problem": problem,
            "detail": request.detail,
        }
        return {name: value for name, value in known.items() if value is not None}

    def _level(self, route: str) -> int:
        if self.request.shed:
            return logging.DEBUG
        if self.status >= _FAILED:
            return logging.WARNING
        quiet = self.status < _REFUSED and route.startswith(_QUIET)
        return logging.DEBUG if quiet else logging.INFO


def request_id_of(scope: Scope) -> bytes:
    """The caller's own id if it is fit for logs and headers, else a new one."""
    for name, given in scope["headers"]:
        if name == _ID_HEADER:
            if _ID.fullmatch(given):
                return bytes(given)
            break
    return b"req-" + random_id().encode("ascii")


def _shown_path(scope: Scope) -> str:
    """The path as it was sent: percent-encoded, so that it is one line, and without its query."""
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("ascii", "backslashreplace") if raw else quote(scope["path"])
    return path[:_PATH_SHOWN]
