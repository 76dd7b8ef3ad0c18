"""Making a connection: names, addresses, TLS."""

from __future__ import annotations

import asyncio
import socket
from asyncio import FIRST_COMPLETED
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

from faultmaven.infrastructure.llm.transport import failures
from faultmaven.infrastructure.llm.transport.address import Origin
from faultmaven.infrastructure.llm.transport.connection import Connection
from faultmaven.infrastructure.llm.transport.proxies import Proxy
from faultmaven.infrastructure.llm.transport.tls import tls_context
from faultmaven.infrastructure.llm.transport.tunnel import dig

_HEAD_START = 0.25  # seconds before the next address is tried beside the last (RFC 8305, 5)

SocketAddress = tuple[socket.AddressFamily, Any]
"""A family, and what its sockets connect to."""

_Attempt = asyncio.Task[socket.socket]


async def dial(origin: Origin, on_end: Callable[[Connection], None]) -> Connection:
    """Connect to ``origin``.

    Args:
        origin: where to.
        on_end: told once when the connection has ended.

    Raises:
        ProviderConnectionError: no connection came about, and why.
        ProviderTimeoutError: not in its time.
    """
    try:
        async with asyncio.timeout(failures.CONNECT_TIMEOUT):
            sock = await _reached(origin.proxy or origin)
            if origin.proxy is not None and origin.secure:
                await _passed(origin, origin.proxy, sock)
            return await _spoken_to(origin, sock, on_end)
    except TimeoutError as error:
        raise failures.no_connection() from error


async def _spoken_to(
    origin: Origin, sock: socket.socket, on_end: Callable[[Connection], None]
) -> Connection:
    """Hand the socket to the event loop, with TLS where it is spoken."""
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(origin, sock, on_end),
            sock=sock,
            ssl=tls_context() if origin.secure else None,
            server_hostname=origin.host if origin.secure else None,
        )
    except OSError as error:
        raise failures.unreachable(failures.NO_TLS) from error
    return connection


async def _passed(origin: Origin, proxy: Proxy, sock: socket.socket) -> None:
    """Have the proxy pass on what is sent."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    try:
        await dig(sock, f"{host}:{origin.port}", proxy.credentials)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            raise failures.unreachable(failures.NO_TUNNEL) from error
        raise


async def _reached(origin: Origin | Proxy) -> socket.socket:
    try:
        addresses = await _resolved(origin)
    except socket.gaierror as error:
        raise failures.unreachable(failures.NO_NAME) from error
    try:
        return await first_to_answer(addresses)
    except ConnectionRefusedError as error:
        raise failures.unreachable(failures.REFUSED) from error
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise  # what the system gave up waiting for
        raise failures.unreachable(failures.NO_CONNECTION) from error


async def _resolved(origin: Origin | Proxy) -> Sequence[SocketAddress]:
    """The addresses of a name, the families taking turns."""
    host, port, kind = origin.host, origin.port, socket.SOCK_STREAM
    try:
        found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):  # it is a name: looking it up may take a while
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host.encode("ascii"), port, type=kind)
    six = [(family, to) for family, *_, to in found if family == socket.AF_INET6]
    four = [(family, to) for family, *_, to in found if family == socket.AF_INET]
    return [to for to in chain.from_iterable(zip_longest(six, four)) if to is not None]


async def _connected(address: SocketAddress) -> socket.socket:
    family, to = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # noqa: FBT003 - the socket module wants it so
        await asyncio.get_running_loop().sock_connect(sock, to)
    except BaseException:
        sock.close()
        raise
    return sock


async def first_to_answer(addresses: Sequence[SocketAddress]) -> socket.socket:
    """The socket of the first address that answers; each has a head start on the next.

    Raises:
        OSError: none does; what the first said.
    """
    if len(addresses) == 1:
        return await _connected(addresses[0])
    untried, running = deque(addresses), set[_Attempt]()
    failed: list[BaseException] = []
    try:
        while untried or running:
            if untried:
                running.add(asyncio.create_task(_connected(untried.popleft())))
            wait = _HEAD_START if untried else None
            done, running = await asyncio.wait(running, timeout=wait, return_when=FIRST_COMPLETED)
            if won := [task for task in done if task.exception() is None]:
                running.update(won[1:])
                return won[0].result()
            failed += [error for task in done if (error := task.exception())]
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_close)
    raise failed[0] if failed else OSError("the name has no address")


def _close(attempt: _Attempt) -> None:
    """Close what a second winner of the race connected to."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
