"""The only HTTP client, where no connection comes about."""

import asyncio
import ssl
from dataclasses import replace

import pytest

from doubles import settings_of
from faultmaven.errors import (
    ProviderAuthError,
    ProviderConnectionError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.transport import EngineName, Transport
from faultmaven.infrastructure.llm.wire.types import WireRequest
from llm.questions import ENGINES, KEY, question, quickest
from upstreams import Upstream, black_hole, refused_url


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Name each engine in turn."""
    name: EngineName = request.param
    return name


async def test_closed_port_is_refused_at_once(transport: Transport) -> None:
    """Where nobody listens, the failure comes within 50 ms and says to ask somebody else (S108)."""
    request = WireRequest("GET", refused_url("/v1/models"), {"authorization": f"Bearer {KEY}"})

    async def knock() -> None:
        with pytest.raises(ProviderConnectionError, match="the connection was refused") as caught:
            await transport.send(request, timeout=5)
        assert caught.value.prefers_next

    await knock()  # the first use builds the TLS context
    assert await quickest(knock, enough=0.05) < 0.05


async def test_every_address_of_a_name_refuses(transport: Transport) -> None:
    """A name with several addresses, as localhost has, is refused when all of them are (S108)."""
    url = refused_url("/v1/models").replace("127.0.0.1", "localhost")
    with pytest.raises(ProviderConnectionError, match="the connection was refused"):
        await transport.send(WireRequest("GET", url, {}), timeout=5)


async def test_unknown_name_is_told(transport: Transport) -> None:
    """A name that no server can have is not resolved, and that is said (S108)."""
    with pytest.raises(ProviderConnectionError, match="name could not be resolved") as caught:
        await transport.send(WireRequest("GET", "http://no..name/v1", {}), timeout=5)
    assert caught.value.prefers_next


async def test_lost_connection_is_worth_a_retry_here(transport: Transport, up: Upstream) -> None:
    """A connection that was lost, unlike one that was refused, is worth another try here."""
    up.script("reset_before_head")
    with pytest.raises(ProviderConnectionError) as caught:
        await transport.send(question(up), timeout=5)
    assert not caught.value.prefers_next


async def test_silent_firewall_ends_at_the_timeout(transport: Transport) -> None:
    """A connection that never comes about ends at the timeout, as one (S42)."""
    async with black_hole("/v1/models") as url:

        async def wait() -> None:
            with pytest.raises(ProviderTimeoutError):
                await transport.send(WireRequest("GET", url, {}), timeout=0.3)

        assert 0.3 <= await quickest(wait, enough=0.5) <= 0.5


async def test_plain_http_under_https_is_a_tls_failure(transport: Transport) -> None:
    """A server that speaks no TLS is named as such (S37)."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/models"
        with pytest.raises(ProviderConnectionError, match="the TLS handshake failed"):
            await transport.send(WireRequest("GET", url, {}), timeout=5)


async def test_server_without_a_certificate_is_a_tls_failure(transport: Transport) -> None:
    """A server that cannot say who it is gets no key (S37, S69)."""
    async with Upstream("openai", keys={KEY}, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as up:
        with pytest.raises(ProviderConnectionError, match="the TLS handshake failed"):
            await transport.send(question(up), timeout=5)
        assert not up.requests


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://127.0.0.1/v1", "must begin with http:// or https://"),
        ("127.0.0.1:1/v1", "must begin with http:// or https://"),
        ("http://[::1/v1", "not a valid address"),
        ("http://127.0.0.1:notaport/v1", "not a valid address"),
        ("http:///v1", "must begin with http:// or https://"),
        ("http://127.0.0.1:99999/v1", "port must be from 1 to 65535"),
        ("http://127.0.0.1:-1/v1", "port must be from 1 to 65535"),
        ("http://127.0.0.1:0/v1", "port must be from 1 to 65535"),
        (f"http://127.0.0.1:{'9' * 30}/v1", "port must be from 1 to 65535"),
    ],
)
async def test_impossible_address(transport: Transport, url: str, message: str) -> None:
    """An address that is none is a connection failure that says so (S108)."""
    with pytest.raises(ProviderConnectionError, match=message) as caught:
        await transport.send(WireRequest("GET", url, {}), timeout=5)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("port", ["99999", "-1", "0"])
async def test_impossible_port_falls_back(
    port: str, transport: Transport, up: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistyped port is told at the start, and costs an answer from nobody else (S108)."""
    values = {
        "CHAT_PROVIDER": "fireworks",
        "FIREWORKS_API_KEY": "fw_0123456789abcdef",
        "FIREWORKS_API_BASE": f"http://127.0.0.1:{port}/v1",
        "OPENAI_API_KEY": KEY,
        "OPENAI_API_BASE": up.base_url,
    }
    router = LLMRouter(ProviderRegistry(settings_of(values), transport=transport))
    assert "FIREWORKS_API_BASE is no valid address; a port is" in caplog.text
    response = await router.generate("Why?")
    assert response.provider == "openai"
    assert len(response.attempts) == 2


@pytest.mark.parametrize("key", ["sk-12…3456", "sk-12\x003456", "sk-12\n3456", "sk-1234\u200b56"])
async def test_key_that_cannot_be_sent_is_the_keys_fault(
    transport: Transport, up: Upstream, key: str
) -> None:
    """A key with characters no header carries is a wrong key, and is not sent (S106)."""
    request = replace(question(up), headers={"authorization": f"Bearer {key}"})
    with pytest.raises(ProviderAuthError) as caught:
        await transport.send(request, timeout=5)
    assert "'authorization'" in str(caught.value)
    assert "3456" not in str(caught.value)
    assert not up.requests


@pytest.mark.parametrize(
    "name",
    ["x\r\ny", "x: y", "x y", "", "schlüssel", "Host", "content-length", "Transfer-Encoding"],
)
async def test_header_that_cannot_be_given_is_not_sent(
    transport: Transport, up: Upstream, name: str
) -> None:
    """Neither what is no name, nor what says to whom a request goes and where it ends."""
    with pytest.raises(ProviderAuthError, match="cannot be sent") as caught:
        await transport.send(replace(question(up), headers={name: "1"}), timeout=5)
    assert str(caught.value).isprintable()
    assert not up.requests
