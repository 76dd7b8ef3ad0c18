"""What the registry is, and what it says about its providers."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from doubles import environment, row, schema, scripted
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import (
    ProviderRegistry,
    get_registry,
    reset_registry,
)
from faultmaven.models.interfaces import ILLMProvider, LLMResponse, ProviderConfig
from llm.registries import (
    ENV_BLOCK,
    SEVEN,
    registry_of,
)


@pytest.fixture(autouse=True)
def _forget_the_singleton() -> Iterator[None]:
    """Leave no registry of one test to the next."""
    reset_registry()
    yield
    reset_registry()


def test_documented_members_of_the_chain() -> None:
    """The chain is set up by its documented method and kept in its documented fields (S33)."""
    registry = registry_of(**ENV_BLOCK)
    registry._setup_fallback_chain("openai")
    assert registry._fallback_chain == ["openai", "fireworks", "local"]
    assert all(isinstance(provider, ILLMProvider) for provider in registry._providers.values())
    assert list(registry._providers) == ["fireworks", "openai", "anthropic", "gemini", "local"]
    registry._setup_fallback_chain("huggingface")
    assert registry._fallback_chain == ["fireworks", "openai", "local"]


def test_answers_are_copies() -> None:
    """Changing what the registry returned changes nothing in it (S61)."""
    registry = registry_of(**ENV_BLOCK)
    before = registry.get_fallback_chain()
    registry.get_fallback_chain().clear()
    registry.get_available_providers().clear()
    registry.get_all_provider_names().clear()
    registry.get_provider_status()["openai"]["models"].clear()
    assert registry.get_fallback_chain() == before
    assert registry.get_available_providers() == [*before[1:3], "anthropic", "gemini", "local"]
    assert len(registry.get_all_provider_names()) == 7
    assert registry.get_provider_status()["openai"]["models"]


def test_fresh_registry_is_ready() -> None:
    """Constructing a registry is all it takes: it has read, built and ordered everything (S59)."""
    with environment(ENV_BLOCK):
        registry = ProviderRegistry()
    assert registry.get_fallback_chain() == ["anthropic", "fireworks", "openai", "local"]
    assert registry.get_provider("openai").is_available()


def test_discovery_keeps_its_documented_order() -> None:
    """A provider is configured, built and asked for its availability, in this order (S59)."""
    steps: list[str] = []

    class Noting(BaseLLMProvider):
        def __init__(self, config: ProviderConfig) -> None:
            steps.append(f"built with {config.api_key}")
            super().__init__(config)

        def is_available(self) -> bool:
            steps.append("availability")
            return True

        def get_supported_models(self) -> list[str]:
            return self.config.models

        async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
            raise NotImplementedError(prompt, kwargs)

    with schema({"noting": row(Noting, api_key_var="NOTING_KEY")}):
        registry_of()
        assert steps == []
        registry_of(NOTING_KEY="key-1")
    assert steps == ["built with key-1", "availability"]


class Slow(scripted()):  # type: ignore[misc] # a class made by a function
    """A provider that takes its time to be built, and counts how often it is."""

    built = 0

    def __init__(self, config: ProviderConfig) -> None:
        super().__init__(config)
        type(self).built += 1
        time.sleep(0.05)


def test_one_registry_for_threads_and_tasks() -> None:
    """However many threads and tasks ask at once, one registry is built, for all (S60)."""
    found: list[ProviderRegistry] = []
    start = threading.Barrier(8)

    async def ask() -> ProviderRegistry:
        return get_registry()

    async def ask_often() -> list[ProviderRegistry]:
        return await asyncio.gather(*(ask() for _ in range(10)))

    def work() -> None:
        start.wait()
        found.extend(asyncio.run(ask_often()))

    with schema({"slow": row(Slow)}), environment({}):
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 80
    assert len({id(registry) for registry in found}) == 1
    assert Slow.built == 1


def test_forgotten_registry_is_read_anew() -> None:
    """After a reset the environment is read again (S73)."""
    with environment({}):
        before = get_registry()
        assert get_registry() is before
    reset_registry()
    with environment({"OPENAI_API_KEY": "sk-123456"}):
        assert get_registry().get_available_providers() == ["openai", "local"]


def test_status_has_the_documented_fields() -> None:
    """Every provider's status has the four documented fields in their types (S62)."""
    status = registry_of(**ENV_BLOCK).get_provider_status()
    assert tuple(status) == SEVEN
    for info in status.values():
        assert isinstance(info["available"], bool)
        assert isinstance(info["models"], list)
        assert info["models"]
        assert isinstance(info["confidence_score"], float)
        assert isinstance(info["in_fallback_chain"], bool)


def test_status_of_the_documented_environment() -> None:
    """With its key gemini is available outside the chain: five providers in all (S64, S79)."""
    status = registry_of(**ENV_BLOCK).get_provider_status()
    assert (status["gemini"]["available"], status["gemini"]["in_fallback_chain"]) == (True, False)
    assert sum(info["available"] for info in status.values()) == 5


def test_status_of_the_documented_output() -> None:
    """Without gemini's key the documented output holds: four available, four in the chain (S64)."""
    values = {name: value for name, value in ENV_BLOCK.items() if name != "GEMINI_API_KEY"}
    status = registry_of(**values).get_provider_status()
    rows = {
        name: (info["available"], info["confidence_score"], info["in_fallback_chain"])
        for name, info in status.items()
    }
    assert rows["fireworks"] == (True, 0.9, True)
    assert rows["openai"] == (True, 0.85, True)
    assert rows["anthropic"] == (True, 0.85, True)
    assert rows["gemini"] == (False, 0.8, False)
    assert rows["local"] == (True, 0.6, True)
    assert sum(info["available"] for info in status.values()) == 4
    assert sum(info["in_fallback_chain"] for info in status.values()) == 4


def test_unset_keys_are_skipped() -> None:
    """Providers without a key are not among the available ones; the schema still has them (S65)."""
    registry = registry_of(**ENV_BLOCK)
    assert not {"huggingface", "openrouter"} & set(registry.get_available_providers())
    assert {"huggingface", "openrouter"} <= set(registry.get_all_provider_names())
    assert registry.get_provider_status()["openrouter"]["missing"] == "missing API key"


def test_local_needs_nothing_and_can_be_removed() -> None:
    """Local is configured without any variable; LOCAL_LLM_ENABLED=false removes it (S18)."""
    assert registry_of().get_fallback_chain() == ["local"]
    assert registry_of().get_config("local").base_url == "http://localhost:11434"
    assert registry_of(LOCAL_LLM_ENABLED="false").get_fallback_chain() == []


def test_local_can_be_pointed_at_a_server_that_was_found() -> None:
    """A server found on this machine becomes the local provider's, for everybody who asks."""
    registry = registry_of()
    config = registry.get_config("local")
    found = ProviderConfig("local", None, "http://127.0.0.1:8080/v1", ["qwen"], local=True)
    registry.use_local_server(found)
    assert config is not registry.get_config("local")
    assert registry.get_config("local").base_url == "http://127.0.0.1:8080/v1"
    assert registry.get_provider("local").get_supported_models() == ["qwen"]
    assert registry.get_fallback_chain() == ["local"]


def test_removed_local_stays_removed() -> None:
    """A server found on this machine does not bring a disabled local provider back."""
    registry = registry_of(LOCAL_LLM_ENABLED="false")
    registry.use_local_server(ProviderConfig("local", None, "http://127.0.0.1:1", ["m"]))
    assert registry.get_available_providers() == []
