"""Which providers there are, which are configured, and what the registry says about them."""

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from doubles import environment, row, schema, scripted, settings_of
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import (
    PROVIDER_SCHEMA,
    ProviderRegistry,
    get_registry,
    reset_registry,
)
from faultmaven.models.interfaces import ILLMProvider, LLMResponse, ProviderConfig

SEVEN = ("fireworks", "openai", "anthropic", "gemini", "huggingface", "openrouter", "local")
KEY_VARIABLES = {name: f"{name.upper()}_API_KEY" for name in SEVEN if name != "local"}

ALL_KEYS = dict.fromkeys(KEY_VARIABLES.values(), "some-key")

ENV_BLOCK = {
    "FIREWORKS_API_KEY": "fw_your_key",
    "OPENAI_API_KEY": "sk_your_openai_key",
    "ANTHROPIC_API_KEY": "sk-ant-your_key",
    "GEMINI_API_KEY": "your_google_ai_key",
    "LOCAL_LLM_URL": "http://localhost:11434",
    "CHAT_PROVIDER": "anthropic",
}
"""The documentation's sample environment."""

TOGETHER: Any = {
    "api_key_var": "TOGETHER_API_KEY",
    "model_var": "TOGETHER_MODEL",
    "base_url_var": "TOGETHER_API_BASE",
    "default_base_url": "https://api.together.xyz/v1",
    "default_model": "meta-llama/Llama-2-70b-chat-hf",
    "provider_class": OpenAIProvider,
    "max_retries": 3,
    "timeout": 30,
    "confidence_score": 0.8,
}
"""The documentation's sample row, as it stands there."""


def registry_of(**values: str) -> ProviderRegistry:
    """Build a registry over exactly these variables."""
    return ProviderRegistry(settings_of(values))


@pytest.fixture(autouse=True)
def _forget_the_singleton() -> Iterator[None]:
    """Leave no registry of one test to the next."""
    reset_registry()
    yield
    reset_registry()


# --- the seven ---


def test_exactly_seven_providers() -> None:
    """The schema has the seven documented providers and no other (S1)."""
    assert tuple(registry_of().get_all_provider_names()) == SEVEN


@pytest.mark.parametrize(
    ("name", "kind", "best_for"),
    [
        ("fireworks", "Commercial", "High-performance, cost-effective"),
        ("openai", "Commercial", "Highest quality responses"),
        ("anthropic", "Commercial", "Reasoning, code analysis"),
        ("gemini", "Commercial", "Multimodal, large context"),
        ("huggingface", "Open Source", "Research, experimentation"),
        ("openrouter", "Aggregator", "Multi-provider access"),
        ("local", "Self-Hosted", "Privacy, customization"),
    ],
)
def test_catalogue_describes_each_provider(name: str, kind: str, best_for: str) -> None:
    """The catalogue says what kind each provider is and what it is best for (S2)."""
    status = registry_of().get_provider_status()[name]
    assert (status["kind"], status["best_for"]) == (kind, best_for)


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("fireworks", "8K-32K"),
        ("openai", "128K"),
        ("anthropic", "200K"),
        ("gemini", "2M"),
        ("huggingface", "Varies"),
        ("openrouter", "Varies"),
        ("local", "Model-dependent"),
    ],
)
def test_catalogue_tells_context_windows(name: str, window: str) -> None:
    """The catalogue gives each documented context window (S10, S13, S26)."""
    assert registry_of().get_provider_status()[name]["context_window"] == window


@pytest.mark.parametrize(
    ("name", "models"),
    [
        (
            "fireworks",
            [
                "accounts/fireworks/models/llama-v3p1-8b-instruct",
                "accounts/fireworks/models/llama-v3p1-70b-instruct",
                "accounts/fireworks/models/mixtral-8x7b-instruct",
            ],
        ),
        ("openai", ["gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo"]),
        (
            "anthropic",
            [
                "claude-3-5-sonnet-20241022",
                "claude-3-5-sonnet-20240620",
                "claude-3-haiku-20240307",
                "claude-3-opus-20240229",
            ],
        ),
        ("gemini", ["gemini-1.5-pro", "gemini-1.5-flash", "gemini-pro-vision"]),
        (
            "huggingface",
            [
                "tiiuae/falcon-7b-instruct",
                "microsoft/DialoGPT-large",
                "meta-llama/Llama-2-7b-chat-hf",
            ],
        ),
        (
            "openrouter",
            ["anthropic/claude-3-sonnet", "openai/gpt-4", "meta-llama/llama-3-8b-instruct"],
        ),
        ("local", ["Phi-3-mini-128k-instruct-onnx"]),
    ],
)
def test_documented_models_are_supported(name: str, models: list[str]) -> None:
    """Each provider lists its documented models, the default first (S5, S7, S9, S12, S15, S17)."""
    registry = registry_of(**ALL_KEYS)
    assert registry.get_provider(name).get_supported_models() == models


@pytest.mark.parametrize(
    ("name", "tokens"), [("openai", 128_000), ("anthropic", 200_000), ("gemini", 2_000_000)]
)
def test_windows_are_numbers_too(name: str, tokens: int) -> None:
    """Windows the documentation states are numbers, for the chain to compare (S10, S13)."""
    assert registry_of().get_config(name).context_window == tokens


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("fireworks", 0.9),
        ("openai", 0.85),
        ("anthropic", 0.85),
        ("gemini", 0.8),
        ("local", 0.6),
        ("together", 0.8),
    ],
)
def test_documented_confidence_scores(name: str, score: float) -> None:
    """Each provider's prior confidence is the documented one (S44)."""
    with schema({"together": TOGETHER}, alone=False):
        assert registry_of().get_provider_status()[name]["confidence_score"] == score


# --- the chain, through the environment ---


def documented_chain(primary: str, providers: set[str]) -> list[str]:
    """Build the chain as the documentation's algorithm does."""
    first = [primary] if primary in providers else []
    rest = ["fireworks", "openai", "local"]
    return first + [name for name in rest if name != primary and name in providers]


@pytest.mark.parametrize("primary", SEVEN)
def test_chain_for_every_set_of_keys(primary: str) -> None:
    """All 128 sets of configured providers with each primary give the documented chain (S27)."""
    for size in range(8):
        for chosen in itertools.combinations(SEVEN, size):
            values = {KEY_VARIABLES[name]: f"key-of-{name}" for name in chosen if name != "local"}
            if "local" not in chosen:
                values["LOCAL_LLM_ENABLED"] = "false"
            registry = registry_of(CHAT_PROVIDER=primary, **values)
            assert registry.get_fallback_chain() == documented_chain(primary, set(chosen))
            assert set(registry.get_available_providers()) == set(chosen)


@pytest.mark.parametrize("value", [*SEVEN, " OpenAI ", "ANTHROPIC"])
def test_chosen_primary_comes_first(value: str) -> None:
    """Each of the seven becomes the first of the chain, in any case and with blanks (S24)."""
    keys = dict.fromkeys(KEY_VARIABLES.values(), "some-key")
    registry = registry_of(CHAT_PROVIDER=value, **keys)
    assert registry.get_fallback_chain()[0] == value.strip().lower()


def test_unknown_primary_is_told_and_local_serves(caplog: pytest.LogCaptureFixture) -> None:
    """An unknown name is an error line with the valid names, and local is the primary (S24)."""
    registry = registry_of(CHAT_PROVIDER="opnai", OPENAI_API_KEY="sk-123456")
    assert registry.get_fallback_chain() == ["local", "openai"]
    (message,) = messages(caplog, logging.ERROR)
    assert message == f"CHAT_PROVIDER 'opnai' is unknown; valid names: {', '.join(SEVEN)}"


def test_key_in_the_wrong_line_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A key pasted where a name belongs does not reach the log (S69)."""
    registry_of(CHAT_PROVIDER="sk-ant-3Zq8WvT5rKx2NmYb7", FALLBACK_CHAIN="fw_3Zq8WvT5rKx2NmYb7")
    assert "3Zq8WvT5rKx2NmYb7" not in caplog.text
    assert "CHAT_PROVIDER" in caplog.text
    assert "FALLBACK_CHAIN" in caplog.text


@pytest.mark.parametrize("values", [{}, {"CHAT_PROVIDER": ""}, {"CHAT_PROVIDER": "  "}])
def test_no_choice_means_local(values: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Without a choice local is the primary: it costs nothing; that is no error (S24)."""
    assert registry_of(OPENAI_API_KEY="sk-123456", **values).get_fallback_chain() == [
        "local",
        "openai",
    ]
    assert messages(caplog, logging.WARNING) == []


def test_primary_without_a_key_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """The chain starts at the first fallback that is configured, and a warning says so (S32)."""
    registry = registry_of(CHAT_PROVIDER="anthropic", OPENAI_API_KEY="sk-123456")
    assert registry.get_fallback_chain() == ["openai", "local"]
    (message,) = messages(caplog, logging.WARNING)
    assert message == "Primary provider 'anthropic' is not available; the chain starts at openai"


def test_documented_environment_gives_its_chain() -> None:
    """The documentation's sample environment makes anthropic → fireworks → openai → local (S28)."""
    registry = registry_of(**ENV_BLOCK)
    assert registry.get_fallback_chain() == ["anthropic", "fireworks", "openai", "local"]


@pytest.mark.parametrize("gone", ["fireworks", "openai", "anthropic"])
def test_chain_follows_the_keys(gone: str) -> None:
    """Removing a key removes that provider from the chain and nothing else (S34)."""
    values = {name: value for name, value in ENV_BLOCK.items() if name != KEY_VARIABLES[gone]}
    rest = [name for name in ("anthropic", "fireworks", "openai", "local") if name != gone]
    assert registry_of(**values).get_fallback_chain() == rest


ALL_KEYS = dict.fromkeys(KEY_VARIABLES.values(), "some-key")


@pytest.mark.parametrize(
    ("preset", "chain"),
    [
        ("production", ["fireworks", "openai", "local"]),
        ("enterprise", ["anthropic", "openai", "fireworks"]),
        ("development", ["local", "fireworks", "openai"]),
        ("research", ["huggingface", "gemini", "fireworks"]),
        ("flexible", ["openrouter", "anthropic", "openai"]),
        ("cost", ["fireworks", "local", "huggingface"]),
        ("privacy", ["local"]),
    ],
)
def test_presets_by_name(preset: str, chain: list[str]) -> None:
    """Each preset, chosen by its name alone, gives its documented chain (S25)."""
    assert registry_of(CHAIN_PRESET=preset, **ALL_KEYS).get_fallback_chain() == chain


@pytest.mark.parametrize(
    ("primary", "fallbacks", "chain"),
    [
        ("anthropic", "openai,fireworks,local", ["anthropic", "openai", "fireworks", "local"]),
        ("fireworks", "local,openai", ["fireworks", "local", "openai"]),
        ("huggingface", "gemini,fireworks,local", ["huggingface", "gemini", "fireworks", "local"]),
        ("local", "none", ["local"]),
    ],
)
def test_real_world_examples(primary: str, fallbacks: str, chain: list[str]) -> None:
    """The four real-world chains can be set as they stand; the private one is alone (S30)."""
    registry = registry_of(CHAT_PROVIDER=primary, FALLBACK_CHAIN=fallbacks, **ALL_KEYS)
    assert registry.get_fallback_chain() == chain


@pytest.mark.parametrize("primary", ["openai", "local"])
def test_chain_of_the_primary_alone(primary: str) -> None:
    """FALLBACK_CHAIN=none leaves the primary alone, whatever keys there are (S30)."""
    registry = registry_of(CHAT_PROVIDER=primary, FALLBACK_CHAIN="none", **ALL_KEYS)
    assert registry.get_fallback_chain() == [primary]


def test_explicit_chain_beats_the_preset() -> None:
    """FALLBACK_CHAIN beside a preset changes what follows the preset's primary (S25)."""
    registry = registry_of(CHAIN_PRESET="production", FALLBACK_CHAIN="local", **ALL_KEYS)
    assert registry.get_fallback_chain() == ["fireworks", "local"]


def test_unknown_preset_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A preset that does not exist is an error line with those that do (S25)."""
    registry_of(CHAIN_PRESET="prod")
    (message,) = messages(caplog, logging.ERROR)
    assert message.startswith("CHAIN_PRESET 'prod' is unknown; valid names: production, ")


def test_unknown_name_in_the_chain_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt name in FALLBACK_CHAIN is an error line; the others are used."""
    registry = registry_of(
        CHAT_PROVIDER="openai", OPENAI_API_KEY="sk-123456", FALLBACK_CHAIN="firework,local"
    )
    assert registry.get_fallback_chain() == ["openai", "local"]
    (message,) = messages(caplog, logging.ERROR)
    assert message.startswith("FALLBACK_CHAIN 'firework' is unknown")


def test_extra_uses_every_key() -> None:
    """With FALLBACK_EXTRA=all no configured provider is idle, and local stays last."""
    registry = registry_of(CHAT_PROVIDER="openai", FALLBACK_EXTRA="all", **ALL_KEYS)
    chain = registry.get_fallback_chain()
    assert (chain[0], chain[-1], set(chain)) == ("openai", "local", set(SEVEN))


def test_documented_local_chain_is_kept_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A local primary keeps the documented fallbacks, and a warning says what leaves (S20)."""
    registry = registry_of(CHAT_PROVIDER="local", OPENAI_API_KEY="sk-123456")
    assert registry.get_fallback_chain() == ["local", "openai"]
    (message,) = messages(caplog, logging.WARNING)
    assert "goes on to openai" in message
    assert "PRIVACY_MODE=local_only" in message


@pytest.mark.parametrize(
    "values",
    [
        {"FALLBACK_CHAIN": "none"},
        {"PRIVACY_MODE": "local_only"},
        {"CHAIN_PRESET": "development"},
        {"FALLBACK_CHAIN": "openai"},
    ],
)
def test_deliberate_local_chain_is_not_warned_about(
    values: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever says what follows local needs no warning."""
    registry_of(CHAT_PROVIDER="local", **ALL_KEYS, **values)
    assert messages(caplog, logging.WARNING) == [
        message for message in messages(caplog, logging.WARNING) if "goes on to" not in message
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"PRIVACY_MODE": "local_only"},
        {"PRIVACY_MODE": "local_only", "CHAT_PROVIDER": "openai"},
        {"PRIVACY_MODE": "local_only", "FALLBACK_EXTRA": "all"},
        {"STRICT_PROVIDER_MODE": "true", "FALLBACK_CHAIN": "openai,local"},
        {"FALLBACK_CHAIN": "none"},
        {"CHAIN_PRESET": "privacy"},
    ],
)
def test_local_only_configures_nobody_else(values: dict[str, str]) -> None:
    """Where nothing may leave, no other provider exists, whatever keys there are (S20)."""
    registry = registry_of(**ALL_KEYS, **values)
    assert registry.get_available_providers() == ["local"]
    assert registry.get_fallback_chain() == ["local"]
    status = registry.get_provider_status()
    assert status["openai"]["missing"] == "blocked by PRIVACY_MODE=local_only"


# --- the documented interface ---


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


# --- what is logged ---


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Give the registry's own lines of one level."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.endswith("providers.registry") and record.levelno == level
    ]


def test_discovery_logs_one_line_for_each_provider(caplog: pytest.LogCaptureFixture) -> None:
    """Discovery says of each provider whether it is there and why not, then the chain (S68)."""
    caplog.set_level(logging.INFO)
    registry_of(**ENV_BLOCK)
    assert messages(caplog, logging.INFO) == [
        "✅ Provider 'fireworks' initialized successfully",
        "✅ Provider 'openai' initialized successfully",
        "✅ Provider 'anthropic' initialized successfully",
        "✅ Provider 'gemini' initialized successfully",
        "❌ Provider 'huggingface' not available (missing API key)",
        "❌ Provider 'openrouter' not available (missing API key)",
        "✅ Provider 'local' initialized successfully",
        "Provider fallback chain: anthropic → fireworks → openai → local",
    ]


def test_empty_chain_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody is configured the log says that the chain is empty (S68)."""
    caplog.set_level(logging.INFO)
    registry_of(LOCAL_LLM_ENABLED="false")
    assert messages(caplog, logging.INFO)[-1] == "Provider fallback chain: (empty)"
    assert messages(caplog, logging.INFO)[-2] == (
        "❌ Provider 'local' not available (LOCAL_LLM_ENABLED=false)"
    )


def test_no_key_in_what_the_registry_says(caplog: pytest.LogCaptureFixture) -> None:
    """Planted keys are in no log line, status or repr (S69)."""
    caplog.set_level(logging.DEBUG)
    values = {variable: f"planted-secret-{name}" for name, variable in KEY_VARIABLES.items()}
    registry = registry_of(**values, LOCAL_LLM_API_KEY="planted-secret-local")
    said = (
        caplog.text,
        repr(registry.get_provider_status()),
        repr(vars(registry)),
        *(repr(registry.get_config(name)) for name in SEVEN),
    )
    assert "planted-secret" not in " ".join(said)
    assert registry.get_config("local").api_key == "planted-secret-local"


# --- adding providers ---


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


# --- pointing local somewhere else ---


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
