"""Providers added by a row."""

import logging
import time
from typing import Any

import pytest

from doubles import row, schema, scripted
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import (
    PROVIDER_SCHEMA,
)
from faultmaven.models.interfaces import LLMResponse, ProviderConfig
from llm.registries import SEVEN, TOGETHER, messages, registry_of


def test_together_by_its_row_alone() -> None:
    """The documentation's row makes Together a provider, with its defaults and overrides (S87)."""
    with schema({"together": TOGETHER}, alone=False):
        plain = registry_of(TOGETHER_API_KEY="your-together-api-key").get_config("together")
        moved = registry_of(
            TOGETHER_API_KEY="your-together-api-key",
            TOGETHER_API_BASE="http://127.0.0.1:5000/v1",
            TOGETHER_MODEL="meta-llama/Other",
        ).get_config("together")
    assert plain.base_url == "https://api.together.xyz/v1"
    assert plain.models == ["meta-llama/Llama-2-70b-chat-hf"]
    assert moved.base_url == "http://127.0.0.1:5000/v1"
    assert moved.models[0] == "meta-llama/Other"


def test_together_heads_its_documented_chain(caplog: pytest.LogCaptureFixture) -> None:
    """The documentation's environment makes together → fireworks → openai → local (S29, S89)."""
    caplog.set_level(logging.INFO)
    with schema({"together": TOGETHER}, alone=False):
        registry = registry_of(
            TOGETHER_API_KEY="your-together-api-key",
            TOGETHER_MODEL="meta-llama/Llama-2-70b-chat-hf",
            CHAT_PROVIDER="together",
            FIREWORKS_API_KEY="fw_backup_key",
            OPENAI_API_KEY="sk_backup_key",
        )
        assert registry.get_fallback_chain() == ["together", "fireworks", "openai", "local"]
        assert registry.get_provider_status()["together"]["in_fallback_chain"] is True
    assert "✅ Provider 'together' initialized successfully" in messages(caplog, logging.INFO)


def test_reused_class_has_the_rows_name() -> None:
    """One class serves several rows, each under its own name (S55, S88)."""
    with schema({"together": TOGETHER}, alone=False):
        registry = registry_of(TOGETHER_API_KEY="some-key", OPENAI_API_KEY="sk-123456")
    names = {name: registry.get_provider(name) for name in ("together", "openai")}
    assert all(isinstance(provider, OpenAIProvider) for provider in names.values())
    assert [getattr(names[name], "provider_name", None) for name in names] == list(names)


def test_a_row_is_all_it_takes() -> None:
    """A provider added to the one mapping is in every list without another edit (S58)."""
    with schema({"newcomer": row(scripted())}, alone=False):
        registry = registry_of(CHAT_PROVIDER="newcomer")
        assert registry.get_all_provider_names() == [*SEVEN, "newcomer"]
        assert "newcomer" in registry.get_available_providers()
        assert "newcomer" in registry.get_provider_status()
        assert registry.get_fallback_chain() == ["newcomer", "local"]
    assert "newcomer" not in PROVIDER_SCHEMA


def test_bad_row_is_told_and_the_others_load(caplog: pytest.LogCaptureFixture) -> None:
    """A row without a required field is an error line; the other providers serve (S66)."""
    short = {key: value for key, value in TOGETHER.items() if key != "model_var"}
    with schema({"together": short}, alone=False):
        registry = registry_of(OPENAI_API_KEY="sk-123456")
    problem = "provider 'together', field 'model_var': required, but missing"
    assert registry.problems == [problem]
    assert messages(caplog, logging.ERROR) == [f"Provider schema: {problem}"]
    assert registry.get_available_providers() == ["openai", "local"]


class Breaking(BaseLLMProvider):
    """A provider whose class fails as soon as it is used."""

    def __init__(self, config: ProviderConfig) -> None:
        raise RuntimeError(f"cannot work with {config.api_key}")

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """List nothing."""
        return []

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Never get here."""
        raise NotImplementedError(prompt, kwargs)


def test_class_that_fails_is_told_and_the_others_load(caplog: pytest.LogCaptureFixture) -> None:
    """A class that cannot be constructed costs its own provider only, and no key (S66, S69)."""
    caplog.set_level(logging.INFO)
    with schema({"breaking": row(Breaking, api_key_var="BREAKING_KEY")}, alone=False):
        registry = registry_of(BREAKING_KEY="shapeless7secret7value")
    assert registry.get_available_providers() == ["local"]
    (problem,) = registry.problems
    assert problem.startswith("provider 'breaking': its class fails with RuntimeError")
    assert "❌ Provider 'breaking' not available (its class fails with RuntimeError)" in caplog.text
    assert registry.get_provider_status()["breaking"]["missing"] is not None
    assert "shapeless7secret7value" not in caplog.text + problem


def test_class_that_declines_is_not_available() -> None:
    """A provider that says it is not configured is not among the available ones (S59)."""

    class Declining(scripted()):  # type: ignore[misc] # a class made by a function
        def is_available(self) -> bool:
            return False

    with schema({"declining": row(Declining)}):
        registry = registry_of()
    assert registry.get_available_providers() == []
    assert registry.get_provider_status()["declining"]["missing"] == "not configured"


def test_fifty_more_providers_load_quickly() -> None:
    """Fifty further rows are all there within a fraction of the two seconds allowed (S100)."""
    rows = {f"provider-{number}": {**TOGETHER, "api_key_var": "K"} for number in range(50)}
    with schema(rows, alone=False):
        started = time.perf_counter()
        registry = registry_of(K="some-key")
        took = time.perf_counter() - started
    assert len(registry.get_available_providers()) == 51
    assert took < 2
