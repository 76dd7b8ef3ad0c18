"""The service behind a real server and a real socket on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn

from api.service import Container
from faultmaven.cli.doorway import DoorProtocol
from faultmaven.cli.serve import listen
from faultmaven.main import ServiceContainer, create_app


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def served(container: ServiceContainer) -> AsyncIterator[tuple[str, int]]:
    """Serve an application; gives host and port."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        create_app(container), http=DoorProtocol, log_config=None, access_log=False, ws="none"
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(20):
            await server.listening.wait()
        host, port = listener.getsockname()
        yield host, port
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def live_client(container: Container) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an application and give a client that reaches it over a socket."""
    async with (
        served(container) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=20) as client,
    ):
        yield client
