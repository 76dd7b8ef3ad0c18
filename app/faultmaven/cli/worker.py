"""One of several processes that serve: it hears from its parent, and ends with it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress

from pydantic import TypeAdapter

from faultmaven.cli.hangup import heed_hangup
from faultmaven.cli.server import DrainingServer
from faultmaven.container import container
from faultmaven.models.status import LocalModelStatus

READY = b"ready\n"
"""What a worker says when it serves."""

RELOADED = b"reloaded\n"
"""What a worker says when the operator had it read the configuration again: all others shall."""

STATUS = TypeAdapter(LocalModelStatus)
"""Reads a line of the parent's: where the embedded model is in its life."""


def serve_as_worker(listening: socket.socket) -> bool:
    """Serve until a signal or the end of the parent ends it; whether it ever started."""
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as parent:
        server = WorkerServer(parent)
        server.run(sockets=[listening])
    return server.started


class WorkerServer(DrainingServer):
    """Serves, and listens to its parent.

    Args:
        parent: a connection to it.
    """

    def __init__(self, parent: socket.socket) -> None:
        super().__init__()
        self._parent = parent
        self._writer: asyncio.StreamWriter | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        heed_hangup(reload=container.reload, end=self._end)
        reader, self._writer = await asyncio.open_connection(sock=self._parent)
        self._hearing = asyncio.create_task(self._hear(reader), name="parent")
        container.get_admin_service().on_reload(self._pass_on_reload)
        await super().startup(sockets=sockets)
        if self.started:
            self._writer.write(READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and do not mind the parent any more."""
        await super().shutdown(sockets)
        if self._hearing is not None:
            self._hearing.cancel()

    async def _hear(self, parent: asyncio.StreamReader) -> None:
        """Hear what the parent says, and end when it is no more."""
        with suppress(ConnectionError):
            async for line in parent:
                container.get_local_model().note(STATUS.validate_json(line))
        self._end()

    def _pass_on_reload(self) -> None:
        if self._writer is not None:
            self._writer.write(RELOADED)

    def _end(self) -> None:
        self.handle_exit(signal.SIGTERM, None)
