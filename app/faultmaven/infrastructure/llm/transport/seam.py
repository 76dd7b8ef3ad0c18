"""The seam: what a provider knows of the network."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections an engine may hold.

    Attributes:
        connections: most at once; a further exchange waits for its turn.
        idle: most that are kept open while nobody uses them; all of them, so that a crowd that
            comes again shakes no hands again.
        idle_seconds: how long such a one is kept.
    """

    connections: int = 1000
    idle: int = 1000
    idle_seconds: float = 30.0


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
            ProviderAuthError: a header, most likely the key, cannot be sent at all, or is one that
                the transport writes itself: ``Host`` and what says where a request ends.
            ProviderConnectionError: refused, reset, not resolved, TLS failed, cut, or behind a
                proxy of an unknown kind.
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


class Engine(Transport, Protocol):
    """A transport that holds connections of its own.

    Connections belong to the event loop they were opened on, so a new loop gets new ones.
    """

    def discard(self) -> None:
        """Close every connection from outside a coroutine, as far as their loop allows."""
        ...
