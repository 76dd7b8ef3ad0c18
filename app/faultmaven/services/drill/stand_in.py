"""A server on loopback that stands in for one provider."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faultmaven.services.drill.call import read_call
from faultmaven.services.drill.faults import Behaviour

_HERE = "127.0.0.1"


@asynccontextmanager
async def stand_in(behave: Behaviour | None) -> AsyncIterator[str]:
    """Serve while the block runs; gives scheme, host and port.

    Args:
        behave: how each request is treated; ``None`` takes a port where connections are refused.
    """
    with socket.socket() as bound:
        bound.bind((_HERE, 0))
        origin = f"http://{_HERE}:{bound.getsockname()[1]}"
        if behave is None:  # bound, so that nobody else takes it; not listening
            yield origin
            return
        async with _serving(bound, behave):
            yield origin


@asynccontextmanager
async def _serving(bound: socket.socket, behave: Behaviour) -> AsyncIterator[None]:
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        treating = asyncio.ensure_future(_treat(reader, writer, behave))
        tasks.add(treating)
        treating.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, sock=bound)
    try:
        yield
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _treat(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behave: Behaviour
) -> None:
    try:
        # Whoever asked may have given up before it asked, or while it was answered.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await behave(await read_call(reader, writer))
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
