"""Vendors as embedders, over real sockets on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from faultmaven.errors import (
    ModelNotFoundError,
    ProviderAuthError,
    ProviderProtocolError,
    UnsupportedRequestError,
)
from faultmaven.infrastructure.llm.providers.anthropic_provider import AnthropicProvider
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider
from faultmaven.infrastructure.llm.providers.embedding import Embedding, EmbeddingProvider
from faultmaven.infrastructure.llm.providers.fireworks_provider import FireworksProvider
from faultmaven.infrastructure.llm.providers.gemini_provider import GeminiProvider
from faultmaven.infrastructure.llm.providers.huggingface_provider import HuggingFaceProvider
from faultmaven.infrastructure.llm.providers.local_provider import LocalProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.openrouter_provider import OpenRouterProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingRequest

_KEY = "key-of-tests-0123456789"

Answer = Callable[[list[str]], Any]


@dataclass(slots=True)
class Server:
    """A server that knows these paths, and how each writes the vectors of its texts."""

    paths: Mapping[str, Answer]
    origin: str = ""
    asked: list[tuple[str, list[str]]] = field(default_factory=list)
    status: int = 200

    async def handle(self, request: web.Request) -> web.Response:
        """Answer as the path does; a path that is not there is none."""
        answer = self.paths.get(request.path)
        texts = _texts(await request.json())
        self.asked.append((request.path, texts))
        if answer is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        return web.json_response(answer(texts), status=self.status)


def _texts(body: Mapping[str, Any]) -> list[str]:
    if "requests" in body:
        return [entry["content"]["parts"][0]["text"] for entry in body["requests"]]
    texts: list[str] = body.get("input") or body.get("texts") or body["inputs"]
    return texts


@asynccontextmanager
async def _serving(paths: Mapping[str, Answer]) -> AsyncIterator[Server]:
    server = Server(paths)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def _vector(text: str) -> list[float]:
    return [float(len(text)), 0.5]


def _openai(texts: list[str]) -> Any:
    data = [{"index": n, "embedding": _vector(text)} for n, text in enumerate(texts)]
    return {"data": data, "usage": {"prompt_tokens": len(texts)}}


def _gemini(texts: list[str]) -> Any:
    return {"embeddings": [{"values": _vector(text)} for text in texts]}


def _cohere(texts: list[str]) -> Any:
    return {"embeddings": {"float": [_vector(text) for text in texts]}}


def _ollama(texts: list[str]) -> Any:
    return {"embeddings": [_vector(text) for text in texts]}


def _features(texts: list[str]) -> Any:
    return [_vector(text) for text in texts]


def _config(base_url: str, **changes: Any) -> ProviderConfig:
    return ProviderConfig("vendor", _KEY, base_url, ["chat-model"], **changes)


_VENDORS: Mapping[str, tuple[type[EmbeddingProvider], str, str, Answer]] = {
    "openai": (OpenAIProvider, "/v1", "/v1/embeddings", _openai),
    "fireworks": (FireworksProvider, "/inference/v1", "/inference/v1/embeddings", _openai),
    "openrouter": (OpenRouterProvider, "/api/v1", "/api/v1/embeddings", _openai),
    "local": (LocalProvider, "", "/v1/embeddings", _openai),
    "ollama": (LocalProvider, "", "/api/embed", _ollama),
    "gemini": (GeminiProvider, "/v1beta", "/v1beta/models/m:batchEmbedContents", _gemini),
    "cohere": (CohereProvider, "/v1", "/v2/embed", _cohere),
    "endpoint": (HuggingFaceProvider, "/v1", "/v1/embeddings", _openai),
    "older endpoint": (HuggingFaceProvider, "", "/", _features),
    "router": (
        HuggingFaceProvider,
        "/router.huggingface.co/v1",
        "/router.huggingface.co/hf-inference/models/m/pipeline/feature-extraction",
        _features,
    ),
}


@pytest.mark.parametrize(("class_", "base", "path", "answer"), _VENDORS.values(), ids=_VENDORS)
async def test_every_vendor_gives_vectors(
    class_: type[EmbeddingProvider],
    base: str,
    path: str,
    answer: Answer,
    transport: Transport,
) -> None:
    """Asked at its own path in its own format, each vendor gives one vector a text."""
    async with _serving({path: answer}) as server:
        provider = class_(_config(server.origin + base), transport=transport)
        found = await provider.embed(EmbeddingRequest("m", ("a", "bc")), timeout=10)

    assert found.vectors == ((1.0, 0.5), (2.0, 0.5))
    assert server.asked[-1] == (path, ["a", "bc"])
    assert isinstance(provider, Embedding)


@pytest.mark.parametrize(("vendor", "most"), [("openai", 256), ("cohere", 96), ("gemini", 100)])
async def test_long_lists_are_split(vendor: str, most: int, transport: Transport) -> None:
    """More texts than a vendor takes become several calls, and one answer in order."""
    class_, base, path, answer = _VENDORS[vendor]
    texts = tuple("x" * (number % 7 + 1) for number in range(2 * most + 1))
    async with _serving({path: answer}) as server:
        provider = class_(_config(server.origin + base), transport=transport)
        found = await provider.embed(EmbeddingRequest("m", texts), timeout=10)

    assert [len(asked) for _, asked in server.asked] == [most, most, 1]
    assert [vector[0] for vector in found.vectors] == [len(text) for text in texts]


async def test_anthropic_gives_none() -> None:
    """A vendor without embeddings does not look like an embedder."""
    assert not isinstance(AnthropicProvider(_config("http://127.0.0.1:9")), Embedding)


async def test_what_ollama_leaves_out_is_said(transport: Transport) -> None:
    """The format that was understood says what it has no word for."""
    request = EmbeddingRequest("m", ("a",), parameters={"user": "u"})
    async with _serving({"/api/embed": _ollama}) as server:
        provider = LocalProvider(_config(server.origin), transport=transport)
        found = await provider.embed(request, timeout=10)

    assert found.ignored == ("user",)


@pytest.mark.parametrize("options", [{}, {"engine": "embedded"}])
async def test_a_server_without_embeddings_says_so(
    options: dict[str, str], transport: Transport
) -> None:
    """A server that only answers gives no vectors, which asking again would not mend."""
    async with _serving({}) as server:
        provider = LocalProvider(_config(server.origin, options=options), transport=transport)
        with pytest.raises(UnsupportedRequestError, match="gives no embeddings") as caught:
            await provider.embed(EmbeddingRequest("m", ("a",)), timeout=10)

    assert (caught.value.provider, caught.value.model) == ("vendor", "m")
    assert len(server.asked) == (1 if options else 2)


async def test_failures_are_signed(transport: Transport) -> None:
    """A refusal names provider and model, hints at the key, and never repeats it."""
    refusal = {"error": {"message": f"Incorrect API key {_KEY}", "code": "invalid_api_key"}}
    async with _serving({"/v1/embeddings": lambda _: refusal}) as server:
        server.status = 401
        provider = OpenAIProvider(_config(server.origin + "/v1"), transport=transport)
        with pytest.raises(ProviderAuthError) as caught:
            await provider.embed(EmbeddingRequest("m", ("a",)), timeout=10)

    assert (caught.value.provider, caught.value.model) == ("vendor", "m")
    assert caught.value.hint
    assert _KEY not in str(caught.value)


async def test_a_chat_model_is_told_apart(transport: Transport) -> None:
    """A model that gives no vectors calls for another model in the request, not in a setting."""
    refusal = {"error": {"message": "The model 'm' does not exist", "code": "model_not_found"}}
    async with _serving({"/v1/embeddings": lambda _: refusal}) as server:
        server.status = 404
        provider = OpenAIProvider(_config(server.origin + "/v1"), transport=transport)
        with pytest.raises(ModelNotFoundError) as caught:
            await provider.embed(EmbeddingRequest("m", ("a",)), timeout=10)

    assert "embedding models" in str(caught.value.hint)


async def test_what_is_no_vector_fails_the_attempt(transport: Transport) -> None:
    """A 200 with too few vectors is a failure, with its provider's name."""
    async with _serving({"/v1/embeddings": lambda texts: _openai(texts[1:])}) as server:
        provider = OpenAIProvider(_config(server.origin + "/v1"), transport=transport)
        with pytest.raises(ProviderProtocolError, match="1 vectors for 2 texts") as caught:
            await provider.embed(EmbeddingRequest("m", ("a", "b")), timeout=10)

    assert caught.value.provider == "vendor"
