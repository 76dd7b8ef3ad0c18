"""Servers of one's own: four dialects behind one class, found out by asking."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from faultmaven.errors import (
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderOverloadedError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.local_provider import LocalProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.types import (
    CompletionRequest,
    WireRequest,
    WireResponse,
)
from faultmaven.models.prompt import Message, StructuredOutput
from providers.vendors import provider_for
from upstreams import DIALECTS, Dialect, Upstream, refused_url


def _only(dialect: str, *paths: str) -> Dialect:
    """A server that has no other paths, as older ones do."""
    whole = DIALECTS[dialect]
    kept = tuple(endpoint for endpoint in whole.endpoints if endpoint.path in paths)
    assert len(kept) == len(paths)
    return replace(whole, endpoints=kept)


OLD_OLLAMA = _only("ollama", "/api/chat", "/api/tags")
OLD_TGI = _only("tgi", "/generate", "/info")


@pytest.mark.parametrize("dialect", ["ollama", "vllm", "tgi", "llamacpp"])
@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_every_server_answers_at_every_form_of_its_address(
    dialect: str, suffix: str, transport: Transport
) -> None:
    """Four servers, with and without /v1 and slash: one correct path, one request (S19, S22)."""
    async with Upstream(dialect, answer="The disk is full.") as up:
        provider = provider_for(up, transport, base_url=up.origin + suffix)
        response = await provider.generate("Why?", max_tokens=20)

    assert response.content == "The disk is full."
    assert [request.path for request in up.requests] == ["/v1/chat/completions"]
    assert not up.rejections


async def test_no_key_no_header(transport: Transport) -> None:
    """Without a key it is usable and sends no Authorization; with one it sends it (S18)."""
    async with Upstream("vllm") as up:
        provider = provider_for(up, transport)
        assert provider.is_available()
        await provider.generate("Why?")
        assert "authorization" not in up.last.headers
    async with Upstream("vllm", keys={"local-secret"}) as up:
        await provider_for(up, transport).generate("Why?")
        assert up.last.bearer == "local-secret"


async def test_native_formats_are_found_and_remembered(transport: Transport) -> None:
    """A server without OpenAI's path is asked in its own format, and from then on at once (S19)."""
    for dialect, native in ((OLD_OLLAMA, "/api/chat"), (OLD_TGI, "/generate")):
        async with Upstream(dialect, answer="The disk is full.") as up:
            provider = provider_for(up, transport, base_url=up.origin + "/v1")
            first = await provider.generate("Why?")
            seen = len(up.requests)
            second = await provider.generate("Why again?")

        assert first.content == second.content == "The disk is full."
        assert up.requests[0].path == "/v1/chat/completions"
        assert [request.path for request in up.requests[seen:]] == [native]


async def test_format_is_forgotten_when_its_path_is_gone(transport: Transport) -> None:
    """A server that was replaced by another kind is found out anew (S19)."""
    async with Upstream(OLD_OLLAMA) as up:
        provider = provider_for(up, transport)
        await provider.generate("Why?")
        port = up.port
    async with Upstream("vllm", models=None, port=port) as up:
        response = await provider.generate("Why?")
        assert [request.path for request in up.requests] == ["/api/chat", "/v1/chat/completions"]
        await provider.generate("Why?")

    assert response.content
    assert up.last.path == "/v1/chat/completions"


async def test_failure_of_a_known_path_does_not_change_the_format(
    transport: Transport,
) -> None:
    """Loading, overload and an unknown model are answers of this format, not signs of another."""
    async with Upstream("llamacpp") as up:
        up.script("loading")
        with pytest.raises(ProviderOverloadedError):
            await provider_for(up, transport).generate("Why?")
    async with Upstream("ollama") as up:
        with pytest.raises(ModelNotFoundError) as caught:
            await provider_for(up, transport, models=["nobody/pulled-this"]).generate("Why?")

    assert [request.path for request in up.requests] == ["/v1/chat/completions"]
    assert "nobody/pulled-this" in str(caught.value.hint)
    assert up.base_url in str(caught.value.hint)


async def test_address_without_any_known_path_says_so(transport: Transport) -> None:
    """Where no format has a path, the hint is about the address and names its variable (S108)."""
    async with Upstream("ollama") as up:
        provider = provider_for(up, transport, base_url=up.origin + "/wrong")
        with pytest.raises(ModelNotFoundError) as caught:
            await provider.generate("Why?")

    assert len(up.requests) == 3
    assert "VENDOR_API_BASE" in str(caught.value.hint)


async def test_server_that_is_down_is_refused_at_once(transport: Transport) -> None:
    """A refused connection is one attempt in one format, with the local hint (S108, S109)."""
    config = ProviderConfig(
        "local", None, refused_url(), ["llama3.2"], local=True, base_url_var="LOCAL_LLM_URL"
    )
    with pytest.raises(ProviderConnectionError) as caught:
        await LocalProvider(config, transport=transport).generate("Why?")

    assert "LOCAL_LLM_URL" in str(caught.value.hint)
    assert "llama3.2" in str(caught.value.hint)


async def test_search_for_the_format_is_bounded(transport: Transport) -> None:
    """All tries together stay within the attempt's time (S42)."""
    async with Upstream(OLD_OLLAMA) as up:
        up.default = "stalled_headers"
        with pytest.raises(ProviderTimeoutError):
            await provider_for(up, transport, timeout=0.2).generate("Why?")

    assert [request.path for request in up.requests] == ["/v1/chat/completions", "/api/chat"]


async def test_formats_share_one_bound() -> None:
    """The bound holds for the whole search, even where a transport would wait for ever (S42)."""

    class Endless:
        async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - the seam's own signature
            if not request.url.endswith("/v1/chat/completions"):
                await asyncio.Event().wait()
            return WireResponse(404, {}, f"no such path within {timeout} s".encode())

        async def aclose(self) -> None:
            """Hold nothing."""

    config = ProviderConfig("local", None, "http://127.0.0.1:1", ["m"], local=True)
    provider = LocalProvider(config, transport=Endless())
    async with asyncio.timeout(5):
        with pytest.raises(ProviderTimeoutError):
            await provider.generate("Why?", timeout=0.05)


async def test_many_first_requests_agree(transport: Transport) -> None:
    """Requests that search for the format at the same time all find it."""
    async with Upstream(OLD_TGI) as up:
        provider = provider_for(up, transport)
        answers = await asyncio.gather(*(provider.generate("Why?") for _ in range(20)))

    assert {answer.content for answer in answers} == {"The disk is full."}


async def test_schema_reaches_each_format(transport: Transport) -> None:
    """A local server is held to a schema by the means of its own format."""
    schema = {"type": "object", "properties": {"cause": {"type": "string"}}}
    places: dict[str | Dialect, str] = {
        "ollama": "response_format",
        OLD_OLLAMA: "format",
        OLD_TGI: "parameters",
    }
    for dialect, place in places.items():
        async with Upstream(dialect, answer={"cause": "disk"}) as up:
            provider = provider_for(up, transport)
            question = (Message("user", "Why?"),)
            request = CompletionRequest(up.model, question, response_schema=schema)
            completion = await provider.complete(request, timeout=5)

        assert provider.target(up.model).structured is StructuredOutput.JSON_SCHEMA
        assert schema["properties"] in _values(up.last.json[place])
        assert completion.text == '{"cause": "disk"}'


def _values(document: Any) -> list[Any]:
    """Every value inside a JSON document."""
    inner = list(document.values()) if isinstance(document, dict) else []
    return [document, *(value for item in inner for value in _values(item))]
