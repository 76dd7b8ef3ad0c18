"""Making a connection: names, addresses, tunnels, TLS."""

from __future__ import annotations

import asyncio
import socket
from asyncio import FIRST_COMPLETED
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest

from faultmaven.errors import ProviderConnectionError, ProviderProtocolError
from faultmaven.infrastructure.llm.transport import failures
from faultmaven.infrastructure.llm.transport.address import Origin
from faultmaven.infrastructure.llm.transport.connection import Connection
from faultmaven.infrastructure.llm.transport.proxies import Proxy
from faultmaven.infrastructure.llm.transport.tls import loaded_context

_HEAD_START = 0.25  # seconds before the next address is tried beside the last (RFC 8305, 5)
_AGREED = range(200, 300)  # the only statuses that make a tunnel (RFC 9110, 9.3.6)

SocketAddress = tuple[str, int]
"""An IP address and a port."""

_Attempt = asyncio.Task[Connection]


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
            connection = await _reached(origin.proxy or origin, lambda: Connection(origin, on_end))
            if origin.secure:
                await _secured(origin, connection)
            return connection
    except TimeoutError as error:
        raise failures.no_connection() from error


async def _secured(origin: Origin, connection: Connection) -> None:
    """Speak TLS to the origin itself, through the proxy where there is one."""
    secured = False
    try:
        if origin.proxy is not None:
            await _passed_on(origin, origin.proxy, connection)
        await connection.secure(await loaded_context(), origin.host)
        secured = True
    except TimeoutError:
        raise
    except OSError as error:
        raise failures.unreachable(failures.NO_TLS) from error
    finally:
        if not secured:
            connection.abort()


async def _passed_on(origin: Origin, proxy: Proxy, connection: Connection) -> None:
    """Have the proxy pass on what follows."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    target = f"{host}:{origin.port}"
    allowed = f"proxy-authorization: {proxy.credentials}\r\n" if proxy.credentials else ""
    connection.send(
        f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{allowed}\r\n".encode("ascii"), b""
    )
    try:
        answer = await connection.head()
    except (ProviderConnectionError, ProviderProtocolError) as error:
        raise failures.unreachable(failures.NO_TUNNEL) from error
    if answer.status not in _AGREED:
        raise failures.unreachable(failures.NO_TUNNEL)


async def _reached(origin: Origin | Proxy, new: Callable[[], Connection]) -> Connection:
    try:
        return await first_to_answer(await _resolved(origin), new)
    except socket.gaierror as error:
        raise failures.unreachable(failures.NO_NAME) from error
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
    six = [str(to[0]) for family, *_, to in found if family == socket.AF_INET6]
    four = [str(to[0]) for family, *_, to in found if family == socket.AF_INET]
    turns = chain.from_iterable(zip_longest(six, four))
    return [(address, port) for address in turns if address is not None]


async def first_to_answer(
    addresses: Sequence[SocketAddress], new: Callable[[], Connection]
) -> Connection:
    """A connection to the first address that answers; each has a head start on the next.

    Args:
        addresses: where to connect to.
        new: makes the protocol of each attempt.

    Raises:
        OSError: none answers; what the first said.
    """
    if len(addresses) == 1:
        return await _connected(addresses[0], new)
    untried, running = deque(addresses), set[_Attempt]()
    failed: list[BaseException] = []
    try:
        while untried or running:
            if untried:
                running.add(asyncio.create_task(_connected(untried.popleft(), new)))
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


async def _connected(address: SocketAddress, new: Callable[[], Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(new, *address)
    return connection


def _close(attempt: _Attempt) -> None:
    """Close what a second winner of the race connected to."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().abort()
