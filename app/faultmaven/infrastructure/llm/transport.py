"""The only HTTP client: one pool for all providers. It sends, it never retries.

The seam is `Transport.send`: bytes-to-be in, bytes out, within a given time. Tests put a
recorded transport there; a faster engine can be put there without any codec noticing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import httpx

from faultmaven.errors import (
    ProviderAuthError,
    ProviderConnectionError,
    ProviderProtocolError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse

_CONNECT_TIMEOUT = 5.0  # seconds; the vendors' own SDKs use the same
_MAX_BODY = 32 * 1024 * 1024  # bytes; no completion is that large, a runaway answer is
_HIGHEST_PORT = 65535
_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30)
_NO_CONNECTION: Mapping[type[Exception], str] = {
    ssl.SSLError: "the TLS handshake failed",
    socket.gaierror: "the host name could not be resolved",
    ConnectionRefusedError: "the connection was refused",
}
# A proxy meant for the internet must not see what is addressed to this machine.
_NO_PROXY = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class Transport(Protocol):
    """What moves bytes."""

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - the seam passes a length
        """Send and return the whole answer, whatever its status.

        Raises:
            ProviderAuthError: a header, most likely the key, cannot be sent at all.
            ProviderConnectionError: refused, reset, not resolved, TLS failed, or cut.
            ProviderTimeoutError: not whole within ``timeout`` seconds.
            ProviderProtocolError: not HTTP, or larger than any answer is.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class HttpxTransport:
    """`Transport` over httpx: a pool for what may pass a proxy, and one for what must not.

    A pool belongs to the event loop it was used on, so a new loop gets new pools.
    """

    def __init__(self) -> None:
        self._clients: dict[bool, httpx.AsyncClient] = {}  # by `WireRequest.direct`
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - bounds the whole exchange
        """Send and return the whole answer; see `Transport.send`."""
        _require_sendable(request.headers)
        try:
            _require_port(request.url)
            async with asyncio.timeout(timeout):
                return await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            message = f"no answer within {timeout:.1f} s"
            if isinstance(error, httpx.ConnectTimeout):
                message = f"no connection within {min(timeout, _CONNECT_TIMEOUT):.1f} s"
            raise ProviderTimeoutError(message) from error
        except httpx.DecodingError as error:
            raise ProviderProtocolError("the answer's compression is broken") from error
        except httpx.TransportError as error:
            message = _connection_message(error)
            if isinstance(error, httpx.ConnectError):
                raise _unreachable(message) from error
            raise ProviderConnectionError(message) from error
        except (httpx.InvalidURL, UnicodeError, OverflowError, ExceptionGroup) as error:
            raise _unreachable("the base URL is not a valid address") from error

    async def aclose(self) -> None:
        """Close every connection; a closed transport opens a new pool when used again."""
        loop, clients = self._let_go()
        # Connections of another loop cannot be awaited here; they went with that loop.
        if loop is asyncio.get_running_loop():
            await _close(clients)

    def discard(self) -> None:
        """Close every connection from outside a coroutine, as far as their loop allows."""
        loop, clients = self._let_go()
        if loop is None or loop.is_closed():
            return  # the loop took its connections with it
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(_close(clients), loop)
        else:
            loop.run_until_complete(_close(clients))

    async def _exchange(self, request: WireRequest) -> WireResponse:
        client = self._client_of_this_loop(direct=request.direct)
        async with client.stream(
            request.method, request.url, headers=dict(request.headers), content=request.body or None
        ) as response:
            body = await _read(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return WireResponse(status=response.status_code, headers=headers, body=body)

    def _client_of_this_loop(self, *, direct: bool) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._clients, self._loop = {}, loop
        if direct not in self._clients:
            self._clients[direct] = _new_client(direct=direct)
        return self._clients[direct]

    def _let_go(self) -> tuple[asyncio.AbstractEventLoop | None, tuple[httpx.AsyncClient, ...]]:
        """Forget the pools; whose they were, and what there is to close."""
        loop, clients = self._loop, tuple(self._clients.values())
        self._clients, self._loop = {}, None
        return loop, clients


@cache
def shared_transport() -> HttpxTransport:
    """The process's transport, for providers constructed with their configuration alone."""
    return HttpxTransport()


@cache
def _tls() -> ssl.SSLContext:
    """One TLS context: loading the roots costs tens of milliseconds and megabytes."""
    return httpx.create_ssl_context()


async def _close(clients: tuple[httpx.AsyncClient, ...]) -> None:
    for client in clients:
        await client.aclose()


def _new_client(*, direct: bool) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=_tls(),
        trust_env=not direct,  # the environment names proxies
        limits=_LIMITS,
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT),
        follow_redirects=False,  # a redirect would carry the key to somewhere else
        mounts=dict.fromkeys(_NO_PROXY),
        # Each call stands for itself: nobody's cookie is kept, let alone shown to somebody else.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


def _require_sendable(headers: Mapping[str, str]) -> None:
    """HTTP carries printable ASCII in headers; a key copied badly may hold other characters.

    Raises:
        ProviderAuthError: a header does.
    """
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ProviderAuthError(f"header '{name}' holds characters that cannot be sent")


def _require_port(url: str) -> None:
    """Sockets raise what nobody expects for a port that is none.

    Raises:
        ProviderConnectionError: the address names such a port.
        httpx.InvalidURL: it is no address at all.
    """
    port = httpx.URL(url).port
    if port is not None and not 1 <= port <= _HIGHEST_PORT:
        raise _unreachable(f"the base URL's port must be from 1 to {_HIGHEST_PORT}")


def _unreachable(message: str) -> ProviderConnectionError:
    """A failure where no connection came about: another provider is the better bet."""
    failure = ProviderConnectionError(message)
    failure.prefers_next = True
    return failure


async def _read(response: httpx.Response) -> bytes:
    pieces = bytearray()
    async for piece in response.aiter_bytes():
        pieces += piece
        if len(pieces) > _MAX_BODY:
            message = f"the answer is larger than {_MAX_BODY // 1024 // 1024} MiB"
            raise ProviderProtocolError(message, status_code=response.status_code)
    return bytes(pieces)


def _connection_message(error: httpx.TransportError) -> str:
    """What went wrong, without addresses: an address may hold credentials."""
    if isinstance(error, httpx.ConnectError):
        kinds = tuple(type(cause) for cause in _causes(error))
        for kind, reason in _NO_CONNECTION.items():
            if any(issubclass(found, kind) for found in kinds):
                return reason
        return "no connection came about"
    if isinstance(error, httpx.RemoteProtocolError):
        return "the connection was closed before the answer was whole"
    if isinstance(error, httpx.UnsupportedProtocol):
        return "the base URL must begin with http:// or https://"
    return "the connection was lost"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to ``error``, all the way down; several addresses fail as a group."""
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield cause
        yield from _causes(cause)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield member
            yield from _causes(member)
