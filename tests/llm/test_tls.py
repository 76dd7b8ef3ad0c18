"""Servers that somebody vouches for, asked straight and through a tunnel."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.transport import EngineName, Transport
from faultmaven.infrastructure.llm.transport.tls import tls_context
from faultmaven.infrastructure.llm.wire.types import WireRequest
from llm.certificates import vouched
from llm.questions import ENGINES, KEY, question
from upstreams import Upstream


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Name each engine in turn."""
    name: EngineName = request.param
    return name


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """Make a server's context and the file that vouches for it."""
    return vouched(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(
    authority: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[ssl.SSLContext]:
    """Trust it, as an operator does, for as long as the test runs."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    tls_context.cache_clear()
    yield authority[0]
    tls_context.cache_clear()


@pytest.fixture
async def secure(trusted: ssl.SSLContext) -> AsyncIterator[Upstream]:
    """Give an upstream behind TLS."""
    async with Upstream("openai", keys={KEY}, tls=trusted) as up:
        yield up


async def test_a_vouched_server_is_asked(transport: Transport, secure: Upstream) -> None:
    """The file that the environment names is believed, and the connection used again."""
    for _ in range(3):
        assert (await transport.send(question(secure), timeout=5)).status == 200
    async with transport.stream(question(secure)) as answer:
        assert b"The disk is full." in (await answer.read()).body
    assert secure.connections.accepted == 1


async def test_leaving_closes_a_secure_connection(transport: Transport, secure: Upstream) -> None:
    """Nothing is waited for, whatever TLS would still have to say."""
    secure.always("stalled_body")
    task = asyncio.create_task(transport.send(question(secure), timeout=60))
    await secure.until(lambda up: up.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1):
        await secure.until(lambda up: up.connections.open == 0)


async def test_another_name_is_not_believed(transport: Transport, trusted: ssl.SSLContext) -> None:
    """A certificate that is trusted still vouches for no other address than its own (S69)."""
    seen: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.2", 0, ssl=trusted) as server:
        url = f"https://127.0.0.2:{server.sockets[0].getsockname()[1]}/v1/models"
        with pytest.raises(ProviderConnectionError, match="the TLS handshake failed"):
            await transport.send(WireRequest("GET", url, {"authorization": KEY}), timeout=5)
    assert not any(seen)


class Tunnels:
    """A proxy that makes tunnels, to wherever it is asked.

    Attributes:
        asked: first lines and credentials that it saw.
        status: what it answers to a request for a tunnel.
        target: port of this machine that every tunnel leads to.
    """

    def __init__(self, target: int) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self.status = b"200 Connection established"
        self.target = target

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        named = [line for line in lines if line.lower().startswith(b"proxy-authorization:")]
        self.asked.append((lines[0], named[0].partition(b": ")[2] if named else b""))
        writer.write(b"HTTP/1.1 " + self.status + b"\r\n\r\n")
        if self.status.startswith(b"2"):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def tunnels(secure: Upstream, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tunnels]:
    """Name a proxy in the environment that makes tunnels to the upstream."""
    tunnels = Tunnels(secure.port)
    for variable in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    async with await asyncio.start_server(tunnels, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for variable in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(variable, f"http://me:p%40ss@127.0.0.1:{port}")
        yield tunnels


def _at_the_vendor(up: Upstream, host: str = "vendor.invalid") -> WireRequest:
    request = question(up)
    return replace(request, url=request.url.replace("127.0.0.1", host))


async def test_a_tunnel_is_dug_once(
    transport: Transport, secure: Upstream, tunnels: Tunnels
) -> None:
    """A vendor's name is resolved by the proxy, which sees neither key nor text."""
    request = _at_the_vendor(secure)
    assert (await transport.send(request, timeout=5)).status == 200
    async with transport.stream(request) as answer:
        assert b"The disk is full." in (await answer.read()).body
    line = f"CONNECT vendor.invalid:{secure.port} HTTP/1.1".encode()
    assert tunnels.asked == [(line, b"Basic bWU6cEBzcw==")]


async def test_a_refused_tunnel_is_told(
    transport: Transport, secure: Upstream, tunnels: Tunnels
) -> None:
    """What the proxy will not connect to is as good as not there."""
    tunnels.status = b"403 Forbidden"
    with pytest.raises(ProviderConnectionError, match="the proxy makes no connection") as caught:
        await transport.send(_at_the_vendor(secure), timeout=5)
    assert caught.value.prefers_next
    assert not secure.connections.accepted


@pytest.mark.parametrize("direct", [True, False])
async def test_who_needs_no_proxy_passes_none(
    transport: Transport,
    secure: Upstream,
    tunnels: Tunnels,
    monkeypatch: pytest.MonkeyPatch,
    *,
    direct: bool,
) -> None:
    """Neither this machine, nor a direct request, nor what `NO_PROXY` names."""
    if not direct:
        monkeypatch.setenv("NO_PROXY", "example.org, 127.0.0.2")
    assert (await transport.send(question(secure), timeout=5)).status == 200
    request = replace(_at_the_vendor(secure, "127.0.0.2"), direct=direct)
    with pytest.raises(ProviderConnectionError, match="refused"):
        await transport.send(request, timeout=5)
    assert tunnels.asked == []
