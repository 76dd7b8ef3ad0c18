"""A response of server-sent events, for as long as its caller stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from faultmaven.api.disconnect import unless_gone
from faultmaven.api.refusals import ClientGoneError

HEARTBEAT = 15.0
"""Seconds of silence after which a comment keeps proxies from closing the connection."""

_COMMENT = b": keep-alive\n\n"
_HEADERS: Mapping[str, str] = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",  # nginx would otherwise collect the pieces
}


class EventStream:
    """What an endpoint writes its events to. Its head leaves when the first of these happens.

    `open` is called, or `heartbeat` seconds have passed: a caller who waits that long gets the
    head and a comment, whatever comes later. Until then an error can still be a status.
    """

    def __init__(self, send: Send, *, heartbeat: float = HEARTBEAT) -> None:
        self._send = send
        self._heartbeat = heartbeat
        self._sending = asyncio.Lock()
        self._now = time.monotonic
        self._written = self._now()
        self._opened = False

    @property
    def opened(self) -> bool:
        """Whether the head has left, so that an error can only be an event."""
        return self._opened

    async def open(self, headers: Mapping[str, str] | None = None) -> None:
        """Send the head, unless it has left; ``headers`` then come too late and are dropped."""
        async with self._sending:
            await self._open(headers or {})

    async def write(self, events: bytes) -> None:
        """Send whole events; waits while the caller reads slowly."""
        await self._sending.acquire()  # what ``async with`` does in twice the calls, for each token
        try:
            if not self._opened:
                await self._open({})
            self._written = self._now()
            await self._send({"type": "http.response.body", "body": events, "more_body": True})
        finally:
            self._sending.release()

    async def keep_alive(self) -> None:
        """Write a comment whenever nothing was written for a while; never returns."""
        while True:
            await asyncio.sleep(self._written + self._heartbeat - self._now())
            if self._now() - self._written >= self._heartbeat and not self._sending.locked():
                await self.write(_COMMENT)
            elif self._sending.locked():  # a slow reader is being written to: that is alive
                self._written = self._now()

    async def close(self) -> None:
        """Send the end of the body."""
        async with self._sending:
            await self._open({})
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _open(self, headers: Mapping[str, str]) -> None:
        if self._opened:
            return
        self._opened = True
        fields = {**_HEADERS, **{name.lower(): value for name, value in headers.items()}}
        raw = [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in fields.items()
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})


class LiveResponse(Response):
    """A response that is written while it is being found out.

    Args:
        produce: writes the events. What it raises before the stream is open becomes an ordinary
            error response; once it is open, it has to write its errors as events itself.
        heartbeat: seconds of silence before a comment.
    """

    def __init__(
        self,
        produce: Callable[[EventStream], Awaitable[None]],
        *,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        super().__init__(media_type="text/event-stream")
        self._produce = produce
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one caller; ends, with all that works for it, when the caller leaves.

        Raises:
            ClientGoneError: the caller left before the stream was open.
            FaultMavenError: what ``produce`` raised before the stream was open.
        """
        del scope
        stream = EventStream(send, heartbeat=self._heartbeat)
        beating = asyncio.create_task(stream.keep_alive())
        try:
            await unless_gone(receive, self._work(stream))
        except ClientGoneError:
            if not stream.opened:  # else there is a status already, and nobody to tell
                raise
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _work(self, stream: EventStream) -> None:
        await self._produce(stream)
        await stream.close()
