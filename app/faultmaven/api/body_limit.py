"""A bound on what is read of a request, as plain ASGI."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven.api.head import header
from faultmaven.api.refusals import BodyTimeoutError, BodyTooLargeError
from faultmaven.models.faults import FieldFault
from faultmaven.models.live import Live, now


class BodyLimitMiddleware:
    """Bounds the bytes of a request's body, announced or not, and the time they may take.

    The refusal is raised where the body is read, so that it becomes a problem body. What was
    announced as too long is refused before a byte of it is read.

    Args:
        app: what comes next.
        max_bytes: most bytes of a body.
        seconds: longest time from the head of a request to the end of its body.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: Live[int], seconds: Live[float]) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only requests are bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = header(scope, b"content-length") or ""
        body = _BoundedBody(
            receive,
            announced=int(announced) if announced.isdecimal() else 0,
            max_bytes=now(self._max_bytes),
            seconds=now(self._seconds),
        )
        await self._app(scope, body.receive, send)


class _BoundedBody:
    """The body of one request, as far as it may be read."""

    def __init__(self, receive: Receive, *, announced: int, max_bytes: int, seconds: float) -> None:
        self._receive = receive
        self._announced = announced
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._due = asyncio.get_running_loop().time() + seconds
        self._read = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next message; once the body is complete, whatever comes, whenever it comes."""
        if self._complete:
            return await self._receive()
        self._require_fit(self._announced)
        message = await self._in_time()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._require_fit(self._read)
            self._complete = not message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        try:
            async with asyncio.timeout_at(self._due):
                return await self._receive()
        except TimeoutError:
            raise BodyTimeoutError(
                FieldFault(
                    "body",
                    f"did not arrive within {self._seconds:g} seconds",
                    "Send it faster, or send less.",
                )
            ) from None

    def _require_fit(self, size: int) -> None:
        if size > self._max_bytes:
            raise BodyTooLargeError(
                FieldFault(
                    "body",
                    f"has more than {self._max_bytes:,} bytes",
                    "Send the part around the fault, or have MAX_BODY_BYTES raised.",
                )
            )
