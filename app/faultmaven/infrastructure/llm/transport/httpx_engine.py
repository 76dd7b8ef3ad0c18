"""The engine on httpx: for what passes a proxy, and where the fast one cannot be installed."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self

import anyio
import httpx

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.transport import failures
from faultmaven.infrastructure.llm.transport.address import USER_AGENT
from faultmaven.infrastructure.llm.transport.compression import decoder_for
from faultmaven.infrastructure.llm.transport.proxies import THIS_MACHINE
from faultmaven.infrastructure.llm.transport.seam import PoolLimits, WireStream
from faultmaven.infrastructure.llm.transport.tls import tls_context
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse

_NO_CONNECTION: Mapping[type[Exception], str] = {
    ssl.SSLError: failures.NO_TLS,
    socket.gaierror: failures.NO_NAME,
    ConnectionRefusedError: failures.REFUSED,
}
# What httpcore and h11 say of a connection that ended; all else is about what came by it.
_ENDED = ("disconnected", "closed connection")


class HttpxTransport:
    """`Transport` over httpx: a pool for what may pass a proxy, and one for what must not.

    Args:
        limits: how many connections each of the pools may hold.
    """

    def __init__(self, limits: PoolLimits | None = None) -> None:
        self._limits = limits or PoolLimits()
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
        failures.require_sendable(request.headers)
        url = httpx.URL(request.url)
        failures.require_port(url.port)
        client = self._client_of_this_loop(direct=request.direct or url.host in THIS_MACHINE)
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
            try:
                self._clients[direct] = _new_client(self._limits, direct=direct)
            except (ImportError, ValueError, httpx.InvalidURL) as error:
                raise failures.unreachable(failures.NO_SUCH_PROXY) from error
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
        self._left = False

    async def __aenter__(self) -> Self:
        """Begin."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, and wait until it has tidied up, even if told to hurry meanwhile."""
        self._left = True
        self._scope.cancel()
        hurried: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait((self._task,))
            except asyncio.CancelledError as error:
                hurried = error
        while not self._arrived.empty():
            self._arrived.get_nowait()
        self._arrived.put_nowait(None)  # for who still waits
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
        while (piece := await self._next()) is not None:
            if isinstance(piece, bytes):
                yield piece
        await asyncio.wait((self._task,))
        self._task.result()

    async def _next(self) -> httpx.Response | bytes | None:
        if not self._left:
            arrived = await self._arrived.get()
            if not self._left:
                return arrived
        raise ProviderConnectionError(failures.LEFT)

    async def _failure(self) -> BaseException:
        await asyncio.wait((self._task,))
        return self._task.exception() or httpx.ReadError("no answer")

    async def _run(self) -> None:
        with self._scope:
            try:
                async with self._call as response:
                    await self._arrived.put(response)
                    async for piece in _decoded(response):
                        await self._arrived.put(piece)
            finally:
                if not self._scope.cancel_called:
                    await self._arrived.put(None)


async def _close(clients: tuple[httpx.AsyncClient, ...]) -> None:
    for client in clients:
        await client.aclose()


def _new_client(limits: PoolLimits, *, direct: bool) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=tls_context(),
        trust_env=not direct,  # the environment names proxies
        limits=httpx.Limits(
            max_connections=limits.connections,
            max_keepalive_connections=limits.idle,
            keepalive_expiry=limits.idle_seconds,
        ),
        timeout=httpx.Timeout(None, connect=failures.CONNECT_TIMEOUT),
        headers={
            "accept-encoding": "gzip, deflate",  # others can grow without bound in one step
            "user-agent": USER_AGENT,
        },
        follow_redirects=False,  # a redirect would carry the key to somewhere else
        # Each call stands for itself: nobody's cookie is kept, let alone shown to somebody else.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


@contextmanager
def _told(seconds: float = math.inf) -> Iterator[None]:
    """Have what goes wrong on the network told in our words.

    Args:
        seconds: what the whole exchange was given.
    """
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise failures.no_connection(min(seconds, failures.CONNECT_TIMEOUT)) from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise failures.no_answer(seconds) from error
    except httpx.RemoteProtocolError as error:
        if not any(words in str(error) for words in _ENDED):
            raise failures.not_http() from error
        raise ProviderConnectionError(failures.CUT) from error
    except httpx.TransportError as error:
        message = _connection_message(error)
        if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
            raise failures.unreachable(message) from error
        raise ProviderConnectionError(message) from error
    except (httpx.InvalidURL, UnicodeError, OverflowError, ExceptionGroup) as error:
        raise failures.unreachable(failures.NO_ADDRESS) from error


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


async def _told_pieces(exchange: _Exchange) -> AsyncGenerator[bytes, None]:
    with _told():
        async for piece in exchange.pieces():
            yield piece


async def _decoded(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body as it comes, decompressed in bounded steps, up to what any answer needs."""
    decode = decoder_for(_headers(response), response.status_code)
    async for raw in response.aiter_raw():
        for piece in decode(raw):
            yield piece
    decode.end()


def _connection_message(error: httpx.TransportError) -> str:
    """What went wrong, without addresses: an address may hold credentials."""
    if isinstance(error, httpx.ConnectError):
        kinds = tuple(type(cause) for cause in failures.causes(error))
        for kind, reason in _NO_CONNECTION.items():
            if any(issubclass(found, kind) for found in kinds):
                return reason
        return failures.NO_CONNECTION
    if isinstance(error, httpx.ProxyError):
        return failures.NO_TUNNEL
    if isinstance(error, httpx.UnsupportedProtocol):
        return failures.NO_HTTP_ADDRESS
    return failures.LOST
