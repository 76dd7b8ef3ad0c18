"""What is written in one turn of the event loop leaves together.

Each write is a system call, and on the other side a wake-up: for a short answer that is a good
part of what it costs to serve it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from faultmaven.cli.replying import Replying


class GatheringProtocol(HttpToolsProtocol):
    """Speaks HTTP as the server's own protocol does, through a `Gathering` transport.

    Attributes:
        gathering: that transport, once the connection is made.
    """

    gathering: Gathering

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server has it
        """Called by the event loop."""
        self.gathering = Gathering(transport, self.loop)
        super().connection_made(self.gathering)  # type: ignore[arg-type]  # one in all that is used

    def data_received(self, data: bytes) -> None:
        """Called by the event loop.

        Whatever comes ends the time that a connection may be idle. It begins anew here where what
        came was not the next request, but the rest of one that is answered already.
        """
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        answered = cycle is not None and cycle.response_complete
        if answered and self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by the parser with each request's head, or when the request before it is done."""
        answered = Replying(app, cycle)
        super()._start_asgi_task(cycle, answered)  # type: ignore[arg-type]  # in Starlette's words


class Gathering:
    """A transport that passes on at once what is written in one turn of the event loop.

    Args:
        transport: what really sends.
        loop: whose turns count.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, together with what follows in this turn."""
        if not self._written:
            self._loop.call_soon(self._pass_on)
        self._written.append(data)

    def write_at_once(self, data: bytes) -> None:
        """Send, after what was written before it, and wait for nothing more."""
        self._written.append(data)
        self._pass_on()

    def close(self) -> None:
        """Send what is left, and close."""
        self._pass_on()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def _pass_on(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))
