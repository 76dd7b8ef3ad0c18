"""The chain, through the environment."""

import itertools
import logging
from pathlib import Path

import pytest

from faultmaven.errors import ConfigurationError, InvalidInputError
from faultmaven.infrastructure.llm.router import LLMRouter
from llm.registries import ALL_KEYS, ENV_BLOCK, KEY_VARIABLES, SEVEN, messages, registry_of


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


def test_unknown_preset_is_no_start() -> None:
    """A misspelt preset is refused with those there are: it may have meant privacy (S25)."""
    with pytest.raises(ConfigurationError, match=r"CHAIN_PRESET.*'production'.*'privacy'"):
        registry_of(CHAIN_PRESET="privcy")


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
    assert registry.local_only


BOX = """
[box]
model_var = "BOX_MODEL"
default_model = "a-model"
default_base_url = "http://127.0.0.1:9"
provider_class = "LocalProvider"
local = true
"""


@pytest.mark.parametrize(
    ("values", "chain"),
    [
        ({}, ["local"]),
        ({"CHAT_PROVIDER": "local"}, ["local"]),
        ({"CHAT_PROVIDER": "locall"}, ["local"]),
        ({"CHAIN_PRESET": "development"}, ["local"]),
        ({"CHAIN_PRESET": "enterprise", "CHAT_PROVIDER": "local"}, ["local"]),
        ({"CHAT_PROVIDER": "box"}, ["box"]),
    ],
)
def test_local_primary_alone_configures_nobody_else(
    values: dict[str, str], chain: list[str], tmp_path: Path
) -> None:
    """However a local provider became the primary, alone it is alone (S20, C2)."""
    file = tmp_path / "providers.toml"
    file.write_text(BOX)
    registry = registry_of(**ALL_KEYS, **values, FALLBACK_CHAIN="none", PROVIDERS_FILE=str(file))
    assert registry.problems == []
    assert registry.local_only
    assert registry.get_available_providers() == ["local", "box"]
    assert registry.get_fallback_chain() == chain
    missing = registry.get_provider_status()["openai"]["missing"]
    assert missing == "blocked by FALLBACK_CHAIN=none after a local primary"


@pytest.mark.parametrize(
    ("values", "primary"),
    [
        ({"CHAIN_PRESET": "enterprise"}, "anthropic"),
        ({"CHAT_PROVIDER": "openai"}, "openai"),
        ({"CHAT_PROVIDER": "openai", "CHAIN_PRESET": "development"}, "openai"),
    ],
)
def test_other_primary_alone_is_asked(values: dict[str, str], primary: str) -> None:
    """A vendor alone is a chain of one; it blocks nobody a request names (C2)."""
    registry = registry_of(**ALL_KEYS, **values, FALLBACK_CHAIN="none")
    assert not registry.local_only
    assert registry.get_fallback_chain() == [primary]
    assert set(registry.get_available_providers()) == set(SEVEN)


async def test_misspelt_local_primary_alone_is_no_way_out() -> None:
    """A request that names a vendor is refused although the primary is misspelt (S20)."""
    registry = registry_of(**ALL_KEYS, CHAT_PROVIDER="locall", FALLBACK_CHAIN="none")
    with pytest.raises(InvalidInputError):
        await LLMRouter(registry).generate("Why?", providers=["openai"])
