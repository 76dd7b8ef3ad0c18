"""The fast engine: a small HTTP/1.1 client on the event loop itself, parsed by httptools."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from faultmaven.infrastructure.llm.transport import failures
from faultmaven.infrastructure.llm.transport.address import Address, Origin, address_of
from faultmaven.infrastructure.llm.transport.answer import Answer
from faultmaven.infrastructure.llm.transport.compression import decoder_for
from faultmaven.infrastructure.llm.transport.connection import Connection
from faultmaven.infrastructure.llm.transport.pool import Pool
from faultmaven.infrastructure.llm.transport.proxies import Proxies, proxy_at
from faultmaven.infrastructure.llm.transport.seam import PoolLimits, WireStream
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse

if TYPE_CHECKING:
    from faultmaven.infrastructure.llm.transport.httpx_engine import HttpxTransport


class HttptoolsTransport:
    """`Transport` over sockets of its own.

    A proxy that is itself spoken to in TLS is left to httpx.

    Args:
        limits: how many connections it may hold.
    """

    def __init__(self, limits: PoolLimits | None = None) -> None:
        self._limits = limits or PoolLimits()
        self._pool: Pool | None = None
        self._proxies = Proxies()
        self._other: HttpxTransport | None = None

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - bounds the whole exchange
        """Send and return the whole answer; see `Transport.send`."""
        pool, address = self._pool_of_this_loop(), self._way(request)
        if address is None:
            return await self._by_httpx().send(request, timeout=timeout)
        head, left = address.head(request), timeout
        connection = pool.lend(address.origin)
        if connection is None:
            started = pool.loop.time()
            connection = await _connected(pool, address.origin, timeout)
            left -= pool.loop.time() - started
        connection.given, connection.due = timeout, time.monotonic() + left
        pool.timer.watch(connection)
        try:
            connection.send(head, request.body, at_once=pool.is_quiet)
            body = await connection.body()
            answer = connection.answer
            if "content-encoding" in answer.headers:
                body = _decoded(body, answer)
            return WireResponse(answer.status, answer.headers, body)
        finally:
            pool.timer.waits.discard(connection)
            pool.give_back(connection)

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        """Send and give the answer as it comes; see `Transport.stream`."""
        pool, address = self._pool_of_this_loop(), self._way(request)
        if address is None:
            return self._by_httpx().stream(request)
        return _Streaming(pool, address.origin, address.head(request), request.body)

    async def aclose(self) -> None:
        """Close every connection; a closed transport opens new ones when used again."""
        pool, self._pool = self._pool, None
        if pool is not None and pool.loop is asyncio.get_running_loop():
            await pool.aclose()
        if self._other is not None:
            await self._other.aclose()

    def discard(self) -> None:
        """Close every connection from outside a coroutine, as far as their loop allows."""
        pool, self._pool = self._pool, None
        if self._other is not None:
            self._other.discard()
        if pool is None or pool.loop.is_closed():
            return  # the loop took its connections with it
        if pool.loop.is_running():
            pool.loop.call_soon_threadsafe(pool.discard)
        else:
            pool.loop.run_until_complete(pool.aclose())

    def _by_httpx(self) -> HttpxTransport:
        if self._other is None:
            from faultmaven.infrastructure.llm.transport.httpx_engine import (  # noqa: PLC0415 - few need it, and it takes long to load
                HttpxTransport,
            )

            self._other = HttpxTransport(self._limits)
        return self._other

    def _pool_of_this_loop(self) -> Pool:
        if self._pool is None or self._pool.loop is not asyncio.get_running_loop():
            self._pool = Pool(self._limits)
            self._proxies = Proxies()
        return self._pool

    def _way(self, request: WireRequest) -> Address | None:
        """Where the request goes; ``None`` for a proxy that only httpx can speak to.

        Raises:
            ProviderError: it leads nowhere.
        """
        address = address_of(request.url)
        if request.direct or not self._proxies.any:
            return address
        host, port, secure, _ = address.origin
        named = self._proxies.address_for(host, port, secure=secure)
        if not named:
            return address
        proxy = proxy_at(named)
        return address.through(proxy) if proxy is not None else None


class _Streaming:
    """One streamed exchange."""

    def __init__(self, pool: Pool, origin: Origin, head: bytes, body: bytes) -> None:
        self._pool = pool
        self._origin = origin
        self._head = head
        self._body = body

    async def __aenter__(self) -> WireStream:
        """Ask; the answer is there with its head."""
        pool, origin = self._pool, self._origin
        self._connection = connection = pool.lend(origin) or await pool.take(origin)
        try:
            connection.send(self._head, self._body, at_once=pool.is_quiet)
            self._body = b""  # it may be large, and the answer long
            head = await connection.head()
        except BaseException:
            pool.give_back(connection)
            raise
        return WireStream(head.status, head.headers, _pieces(connection, connection.exchange))

    async def __aexit__(self, *_: object) -> None:
        """Let go of the connection; it closes unless the answer was read to its end."""
        self._connection.finish()
        self._pool.give_back(self._connection)


async def _connected(pool: Pool, origin: Origin, seconds: float) -> Connection:
    try:
        async with asyncio.timeout(seconds):
            return await pool.take(origin)
    except TimeoutError as error:
        raise failures.no_answer(seconds) from error


def _decoded(body: bytes, answer: Answer) -> bytes:
    """The body, decompressed, up to what any answer needs."""
    decode = decoder_for(answer.headers, answer.status)
    whole = b"".join(decode(body))
    decode.end()
    return whole


async def _pieces(connection: Connection, exchange: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes, decompressed, up to what any answer needs."""
    raw = await connection.piece(exchange)
    decode = decoder_for(connection.answer.headers, connection.answer.status)
    while raw is not None:
        for piece in decode(raw):
            yield piece
        raw = await connection.piece(exchange)
    decode.end()
