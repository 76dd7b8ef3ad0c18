"""Who gets to see what goes by on its way: a proxy that really listens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.local_provider import LocalProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.transport import EngineName, Transport
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, WireRequest
from faultmaven.models.prompt import Message
from llm.questions import ENGINES
from upstreams import Upstream


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Name each engine in turn."""
    name: EngineName = request.param
    return name


REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
QUESTION = CompletionRequest("a-model", (Message("user", "the password is hunter2"),))


@pytest.fixture
async def proxied(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[bytes]]:
    """Name a proxy of one's own in the environment; the first lines of what passes it."""
    seen: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.write(REFUSAL)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, address)
        yield seen


def config_of(base_url: str, *, local: bool) -> ProviderConfig:
    """Configure a provider without a key."""
    return ProviderConfig("one", None, base_url, ["a-model"], needs_key=False, local=local)


async def test_what_may_pass_a_proxy_does(proxied: list[bytes], transport: Transport) -> None:
    """A vendor is asked through the proxy that the environment names."""
    provider = OpenAIProvider(config_of("http://127.0.0.2:9/v1", local=False), transport=transport)
    assert not (await provider.check(timeout=5)).model_found
    assert proxied
    assert proxied[0].startswith(b"GET http://127.0.0.2:9/v1/models ")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])  # noqa: S104 - asked, not bound
async def test_local_text_passes_no_proxy(
    host: str, proxied: list[bytes], transport: Transport
) -> None:
    """What a local provider is asked is not masked, so it goes there and nowhere else (S20)."""
    async with Upstream("ollama") as up:
        base_url = up.base_url.replace("127.0.0.1", host)
        # The upstream listens on one address; that others do not answer is as good here.
        provider = LocalProvider(config_of(base_url, local=True), transport=transport)
        try:
            await provider.complete(replace(QUESTION, model=up.model), timeout=5)
        except ProviderConnectionError:
            assert host == "127.0.0.2"
        await provider.check(timeout=5)
    assert proxied == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "gopher://127.0.0.1:9", "http://[::9"])
async def test_a_proxy_of_an_unknown_kind_is_told(
    proxy: str, monkeypatch: pytest.MonkeyPatch, transport: Transport
) -> None:
    """Nothing goes past it, but what is meant for this machine; another provider may be better."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, proxy)
    request = WireRequest("GET", "http://127.0.0.2:9/v1/models", {})
    with pytest.raises(ProviderConnectionError, match="proxy that the environment names") as sent:
        await transport.send(request, timeout=5)
    with pytest.raises(ProviderConnectionError, match="proxy that the environment names"):
        async with transport.stream(request):
            pass
    assert sent.value.prefers_next
    async with Upstream("openai", keys=None) as up:
        here = WireRequest("GET", f"{up.base_url}/models", {"authorization": "Bearer a"})
        assert (await transport.send(here, timeout=5)).status == 200


async def test_both_ways_are_closed(proxied: list[bytes], transport: Transport) -> None:
    """Closing a transport closes what goes straight as well as what goes through a proxy."""
    async with Upstream("openai") as up:
        headers = {"authorization": f"Bearer {up.key}"}
        request = WireRequest("GET", f"{up.base_url}/models", headers)
        await transport.send(request, timeout=5)
        await transport.send(replace(request, direct=True), timeout=5)
        assert up.connections.open
        await transport.aclose()
        await up.until(lambda up: up.connections.open == 0)
    assert proxied == []
