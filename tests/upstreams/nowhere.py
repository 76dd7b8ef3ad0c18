"""Addresses on loopback at which nobody answers."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator


def refused_url(prefix: str = "") -> str:
    """Give a URL whose port nobody listens on: a connection there is refused at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}{prefix}"


@contextlib.asynccontextmanager
async def black_hole(prefix: str = "") -> AsyncIterator[str]:
    """Give a URL at which connections are never completed, as behind a silent firewall.

    The listening socket's queue is full, so the kernel drops further attempts.
    """
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = sockets.enter_context(socket.socket())
            filler.settimeout(0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await loop.sock_connect(filler, listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{prefix}"
