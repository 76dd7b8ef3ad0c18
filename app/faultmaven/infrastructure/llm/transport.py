"""The only HTTP client: one pool for all providers. It sends, it never retries.

The seam is `Transport`: bytes-to-be in, bytes out, whole or as they come. Tests put a recorded
transport there; a faster engine can be put there without any codec noticing.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol, Self

import anyio
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


@dataclass(frozen=True, slots=True)
class WireStream:
    """An HTTP answer whose body is still on its way.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        chunks: the body, decompressed, in pieces as they arrive; to be read once.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncGenerator[bytes, None]

    async def read(self) -> WireResponse:
        """The whole answer, once it is there.

        Raises:
            ProviderConnectionError: it was cut.
            ProviderProtocolError: it is larger than any answer is.
        """
        body = b"".join([chunk async for chunk in self.chunks])
        return WireResponse(status=self.status, headers=self.headers, body=body)


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

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        """Send, and give the answer as soon as its head is there, whatever its status.

        Whoever asks bounds the time; only connecting has a limit of its own. Leaving the context
        before the end of the body closes the connection. Raises what `send` raises, also from
        `WireStream.chunks`.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class HttpxTransport:
    """`Transport` over httpx: a pool for what may pass a proxy, and one for what must not.

    A pool belongs to the event loop it was used on, so a new loop gets new pools.

    Args:
        limits: how many connections a pool may hold.
    """

    def __init__(self, limits: httpx.Limits = _LIMITS) -> None:
        self._limits = limits
        self._clients: dict[bool, httpx.AsyncClient] = {}  # by `WireRequest.direct`
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - bounds the whole exchange
        """Send and return the whole answer; see `Transport.send`."""
        with _told(timeout):
            async with asyncio.timeout(timeout), self._exchange(request) as exchange:
                head = await exchange.head()
                body = b"".join([piece async for piece in exchange.pieces()])
        return WireResponse(status=head.status_code, headers=_headers(head), body=body)

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:
        """Send and give the answer as it comes; see `Transport.stream`."""
        with _told():
            exchange = self._exchange(request)
        async with exchange:
            with _told():
                head = await exchange.head()
            # What the reader of the answer raises is none of the network's doing.
            yield WireStream(head.status_code, _headers(head), _told_pieces(exchange))

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

    def _exchange(self, request: WireRequest) -> _Exchange:
        _require_sendable(request.headers)
        _require_port(request.url)
        client = self._client_of_this_loop(direct=request.direct)
        return _Exchange(
            client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body or None,
            )
        )

    def _client_of_this_loop(self, *, direct: bool) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._clients, self._loop = {}, loop
        if direct not in self._clients:
            self._clients[direct] = _new_client(self._limits, direct=direct)
        return self._clients[direct]

    def _let_go(self) -> tuple[asyncio.AbstractEventLoop | None, tuple[httpx.AsyncClient, ...]]:
        """Forget the pools; whose they were, and what there is to close."""
        loop, clients = self._loop, tuple(self._clients.values())
        self._clients, self._loop = {}, None
        return loop, clients


class _Exchange:
    """One exchange, in a task that is only ever ended in the way the HTTP client can bear.

    httpcore tidies up behind a shield that holds off anyio's cancellations and not asyncio's own:
    a caller who leaves in that moment would keep a place in the pool for ever. So a caller's
    cancellation ends with the caller, who ends the task through its scope and sees it out.
    """

    def __init__(self, call: AbstractAsyncContextManager[httpx.Response]) -> None:
        self._call = call
        self._scope = anyio.CancelScope()
        self._arrived: asyncio.Queue[httpx.Response | bytes | None] = asyncio.Queue(maxsize=1)

    async def __aenter__(self) -> Self:
        """Begin."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, and wait until it has tidied up, even if told to hurry meanwhile."""
        self._scope.cancel()
        hurried: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait((self._task,))
            except asyncio.CancelledError as error:
                hurried = error
        if not self._task.cancelled():
            self._task.exception()  # told already to whoever asked
        if hurried is not None:
            raise hurried

    async def head(self) -> httpx.Response:
        """The answer's head; its body comes with `pieces`."""
        head = await self._arrived.get()
        if not isinstance(head, httpx.Response):
            raise await self._failure()
        return head

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, decompressed."""
        while (piece := await self._arrived.get()) is not None:
            if isinstance(piece, bytes):
                yield piece
        await asyncio.wait((self._task,))
        self._task.result()

    async def _failure(self) -> BaseException:
        await asyncio.wait((self._task,))
        return self._task.exception() or httpx.RemoteProtocolError("no answer")

    async def _run(self) -> None:
        with self._scope:
            try:
                async with self._call as response:
                    await self._arrived.put(response)
                    async for piece in _bounded(response):
                        await self._arrived.put(piece)
            finally:
                if not self._scope.cancel_called:
                    await self._arrived.put(None)


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


def _new_client(limits: httpx.Limits, *, direct: bool) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=_tls(),
        trust_env=not direct,  # the environment names proxies
        limits=limits,
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT),
        headers={"accept-encoding": "gzip, deflate"},  # others can grow without bound in one step
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


@contextmanager
def _told(seconds: float = math.inf) -> Iterator[None]:
    """Have what goes wrong on the network told in our words.

    Args:
        seconds: what the whole exchange was given.
    """
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        message = f"no answer within {seconds:.1f} s"
        if isinstance(error, httpx.ConnectTimeout):
            message = f"no connection within {min(seconds, _CONNECT_TIMEOUT):.1f} s"
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


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


async def _told_pieces(exchange: _Exchange) -> AsyncGenerator[bytes, None]:
    with _told():
        async for piece in exchange.pieces():
            yield piece


async def _bounded(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body as it comes, up to what any answer needs."""
    size = 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > _MAX_BODY:
            message = f"the answer is larger than {_MAX_BODY // 1024 // 1024} MiB"
            raise ProviderProtocolError(message, status_code=response.status_code)
        yield piece


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
