"""A bound on what is read of a request, as plain ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven.api.head import header
from faultmaven.api.refusals import BodyTimeoutError, BodyTooLargeError
from faultmaven.models.arrival import ARRIVED
from faultmaven.models.faults import FieldFault
from faultmaven.models.time_limit import TimeLimit, TimeLimits


class Bounds(Protocol):
    """How much may be read, and for how long."""

    @property
    def max_body_bytes(self) -> int:
        """Most bytes of a body."""
        ...

    @property
    def request_timeout(self) -> float:
        """Longest time from the head of a request to the end of its body, in seconds."""
        ...


class BodyLimitMiddleware:
    """Bounds the bytes of a request's body, announced or not, and the time they may take.

    The refusal is raised where the body is read, so that it becomes a problem body. What was
    announced as too long is refused before a byte of it is read.

    Args:
        app: what comes next.
        bounds: gives the present ones.
    """

    def __init__(self, app: ASGIApp, *, bounds: Callable[[], Bounds]) -> None:
        self._app = app
        self._bounds = bounds
        self._limits = TimeLimits()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection; only requests are bounded."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        bounds = self._bounds()
        length = header(scope, b"content-length") or ""
        announced = int(length) if length.isdecimal() else 0
        # The server reads as much as was announced, and it is there: nothing is left to bound.
        if ARRIVED in scope and 0 < announced <= bounds.max_body_bytes:
            return self._app(scope, receive, send)
        limit = self._limits.within(bounds.request_timeout)
        body = _BoundedBody(receive, limit, bounds, announced=announced)
        return self._app(scope, body.receive, send)


class _BoundedBody:
    """The body of one request, as far as it may be read."""

    def __init__(
        self, receive: Receive, time_limit: TimeLimit, bounds: Bounds, *, announced: int
    ) -> None:
        self._receive = receive
        self._time_limit = time_limit
        self._bounds = bounds
        self._announced = announced
        self._read = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next message; once the body is complete, whatever comes, whenever it comes."""
        if self._complete:
            return await self._receive()
        if self._announced > self._bounds.max_body_bytes:
            raise self._too_large()
        try:
            with self._time_limit:
                message = await self._receive()
        except TimeoutError:
            raise self._too_late() from None
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._bounds.max_body_bytes:
                raise self._too_large()
            self._complete = not message.get("more_body", False)
        return message

    def _too_late(self) -> BodyTimeoutError:
        return BodyTimeoutError(
            FieldFault(
                "body",
                f"did not arrive within {self._bounds.request_timeout:g} seconds",
                "Send it faster, or send less.",
            )
        )

    def _too_large(self) -> BodyTooLargeError:
        return BodyTooLargeError(
            FieldFault(
                "body",
                f"has more than {self._bounds.max_body_bytes:,} bytes",
                "Send the part around the fault, or have MAX_BODY_BYTES raised.",
            )
        )
