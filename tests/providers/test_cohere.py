"""Cohere: the documented class as it was printed, and ours that keeps its promises."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

from faultmaven.errors import RateLimitedError
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.cohere_generate import DEFAULT_MAX_TOKENS
from faultmaven.models.interfaces import ILLMProvider
from providers.vendors import config_for, provider_for
from upstreams import Upstream, json_reply

_SOURCE = Path(__file__).with_name("documented_cohere.txt")
_ANSWER = {
    "id": "g",
    "generations": [{"id": "1", "text": " The disk is full. ", "finish_reason": "COMPLETE"}],
    "meta": {"billed_units": {"input_tokens": 3, "output_tokens": 4}},
}


def _documented_class() -> Any:
    """The documented source, loaded where its relative import resolves."""
    name = "faultmaven.infrastructure.llm.providers.documented_cohere"
    loader = SourceFileLoader(name, str(_SOURCE))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module.CohereProvider


async def test_documented_class_works_unchanged() -> None:
    """The printed class, aiohttp and all, is constructed and answers a real server (S56, S90)."""
    async with Upstream("cohere") as up:
        up.script(json_reply(200, _ANSWER))
        provider = _documented_class()(config_for(up, name="cohere"))
        response = await provider.generate("Why?")

    assert isinstance(provider, ILLMProvider)
    assert provider.is_available()
    assert response.content == "The disk is full."
    assert response.tokens_used == 7
    assert response.provider == "cohere"
    assert not up.rejections


async def test_our_class_sends_what_the_documented_one_sends(transport: Transport) -> None:
    """Path, key and body of both classes are the same, defaults included (S90, S91)."""
    async with Upstream("cohere") as up:
        await _documented_class()(config_for(up)).generate("Why?")
        await provider_for(up, transport).generate("Why?")

    documented, ours = up.requests
    assert ours.path == documented.path == "/v1/generate"
    assert ours.bearer == documented.bearer == up.key
    assert ours.json == documented.json
    assert ours.json == {
        "model": "command-r-plus",
        "prompt": "Why?",
        "max_tokens": 1000,
        "temperature": 0.7,
    }


async def test_answer_and_usage_are_read_as_documented(transport: Transport) -> None:
    """The first generation's text is stripped, tokens are billed input and output (S93)."""
    async with Upstream("cohere") as up:
        up.script(json_reply(200, _ANSWER))
        response = await provider_for(up, transport).generate("Why?")

    assert response.content == "The disk is full."
    assert (response.usage.prompt, response.usage.completion) == (3, 4)
    assert response.tokens_used == 7


async def test_failure_holds_the_status_and_a_short_safe_text(transport: Transport) -> None:
    """A non-200 is an error with the status, its text masked and cut (S92)."""
    async with Upstream("cohere") as up:
        text = f"{'too many ' * 40} api_key={up.key}"
        up.script(json_reply(429, {"message": f"key {up.key} is {text}"}))
        with pytest.raises(RateLimitedError, match="HTTP 429") as caught:
            await provider_for(up, transport).generate("Why?")

    assert caught.value.status_code == 429
    assert caught.value.falls_back
    assert len(str(caught.value)) <= 200
    assert up.key not in repr(caught.value)


async def test_current_api_is_one_option_away(transport: Transport) -> None:
    """With the option ``api`` the same base URL is asked in Cohere's current format (S94)."""
    async with Upstream("cohere", answer="The disk is full.") as up:
        provider = provider_for(
            up, transport, options={"api": "chat"}, models=["command-a-03-2025"]
        )
        response = await provider.generate("Why?")

    assert up.last.path == "/v2/chat"
    assert response.content == "The disk is full."
    assert not up.rejections


def test_documented_compliance_test_holds() -> None:
    """The interface test of the documentation, on the class that ships (S97)."""
    config = ProviderConfig(
        name="cohere",
        api_key="test-key",
        base_url="https://api.cohere.ai/v1",
        models=["command-r-plus"],
    )
    provider = CohereProvider(config)

    assert isinstance(provider, ILLMProvider)
    assert hasattr(provider, "generate")
    assert hasattr(provider, "is_available")
    assert hasattr(provider, "get_supported_models")
    assert provider.provider_name == "cohere"


def test_a_caller_who_names_no_limit_gets_the_documented_one() -> None:
    """The provider's own is that of its format, which is loaded later."""
    assert CohereProvider.default_max_tokens == DEFAULT_MAX_TOKENS
