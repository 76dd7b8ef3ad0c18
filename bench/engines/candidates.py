"""The clients that are compared, each used as directly as it allows."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultmaven.infrastructure.llm.transport import EngineName, new_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest

_HEADERS = {"authorization": "Bearer " + "k" * 40, "content-type": "application/json"}
_BODY = b'{"messages":[{"role":"user","content":"' + b"x" * 900 + b'"}]}'
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Client:
    """One client, ready to ask.

    Attributes:
        whole: asks an address for a whole answer; gives status, headers and body.
        pieces: asks an address for a stream; gives its pieces.
        aclose: ends it.
    """

    whole: Callable[[str], Awaitable[tuple[int, Any, bytes]]]
    pieces: Callable[[str], AsyncGenerator[bytes, None]]
    aclose: Callable[[], Awaitable[None]]


def ours(engine: EngineName, _authority: Path) -> Client:
    """One of the transport's engines; it finds the authority in the environment."""
    transport = new_transport(engine)

    async def whole(url: str) -> tuple[int, Any, bytes]:
        request = WireRequest("POST", url, _HEADERS, _BODY)
        response = await transport.send(request, timeout=_SECONDS)
        return response.status, response.headers, response.body

    async def pieces(url: str) -> AsyncGenerator[bytes, None]:
        async with transport.stream(WireRequest("POST", url, _HEADERS, _BODY)) as answer:
            async for piece in answer.chunks:
                yield piece

    return Client(whole, pieces, transport.aclose)


def by_aiohttp(authority: Path) -> Client:
    """Aiohttp's client."""
    aiohttp: Any = importlib.import_module("aiohttp")
    trust = ssl.create_default_context(cafile=authority)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000, ssl=trust))

    async def whole(url: str) -> tuple[int, Any, bytes]:
        async with session.post(url, data=_BODY, headers=_HEADERS) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, headers, await answer.read()

    async def pieces(url: str) -> AsyncGenerator[bytes, None]:
        async with session.post(url, data=_BODY, headers=_HEADERS) as answer:
            async for piece in answer.content.iter_any():
                yield piece

    return Client(whole, pieces, session.close)


def by_pyreqwest(authority: Path, *, bounded: bool) -> Client:
    """Pyreqwest's client: bodies gathered by itself, or piece by piece so that they are bounded."""
    made: Any = importlib.import_module("pyreqwest.client").ClientBuilder()
    client = made.no_proxy().add_root_certificate_pem(authority.read_bytes()).build()

    def asked(url: str) -> Any:
        return client.post(url).headers(_HEADERS).body_bytes(_BODY)

    async def whole(url: str) -> tuple[int, Any, bytes]:
        if bounded:
            body = b"".join([piece async for piece in pieces(url)])
            return 200, {}, body
        answer = await asked(url).build().send()
        return answer.status, dict(answer.headers.items()), (await answer.bytes()).to_bytes()

    async def pieces(url: str) -> AsyncGenerator[bytes, None]:
        async with asked(url).streamed_read_buffer_limit(0).build_streamed() as answer:
            dict(answer.headers.items())
            while (piece := await answer.body_reader.read_chunk()) is not None:
                yield piece.to_bytes()

    return Client(whole, pieces, client.close)


CANDIDATES: dict[str, Callable[[Path], Client]] = {
    "httptools": lambda authority: ours("httptools", authority),
    "httpx": lambda authority: ours("httpx", authority),
    "aiohttp": by_aiohttp,
    "pyreqwest, gathered": lambda authority: by_pyreqwest(authority, bounded=False),
    "pyreqwest, bounded": lambda authority: by_pyreqwest(authority, bounded=True),
}
"""Each by its name in the table; a factory raises `ImportError` where it is not installed."""
