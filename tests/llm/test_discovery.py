"""From a row and the environment to a provider's configuration."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import environment, settings_of
from faultmaven.infrastructure.llm.providers.discovery import Discovered, discover
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry

ROW: dict[str, Any] = {
    "api_key_var": "ACME_API_KEY",
    "model_var": "ACME_MODEL",
    "base_url_var": "ACME_API_BASE",
    "default_base_url": "https://api.acme.example/v1",
    "default_model": "acme-1",
    "provider_class": OpenAIProvider,
    "models": ("acme-2", "acme-1"),
    "key_prefixes": ("ac-",),
    "retired_models": {"acme-0": "acme-2"},
}


def found(**values: str) -> Discovered:
    """Discover the sample row in this environment."""
    return discover("acme", ROW, values)


def test_key_makes_it_usable() -> None:
    """With its key and nothing else a provider has everything it needs."""
    assert found(ACME_API_KEY="ac-123456").missing is None
    config = found(ACME_API_KEY="ac-123456").config
    assert (config.name, config.api_key) == ("acme", "ac-123456")
    assert (config.base_url, config.models) == ("https://api.acme.example/v1", ["acme-1", "acme-2"])
    assert (config.max_retries, config.timeout, config.confidence_score) == (3, 30, 0.8)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "\n",
        '""',
        "<your key>",
        "...",
        "sk-...",
        "sk-xxxx",
        "xxxxxxxx",
        "changeme",
        "CHANGE_ME",
        "replace-me",
        "your-api-key",
        "your_api_key_here",
        "YOUR_KEY",
        "none",
        "null",
        "TODO",
    ],
)
def test_blank_or_placeholder_is_no_key(value: str) -> None:
    """What stands where a key should go is not taken for one (S23)."""
    discovered = found(ACME_API_KEY=value)
    assert discovered.missing == "missing API key"
    assert discovered.config.api_key is None


@pytest.mark.parametrize(
    "key",
    [
        "fw_your_api_key",
        "sk-your_openai_key",
        "sk_your_openai_key",
        "sk-ant-your_key",
        "your_google_ai_key",
        "hf_your_token",
        "sk-or-your_key",
        "your-together-api-key",
        "fw_backup_key",
        "your-test-key",
        "test-key",
    ],
)
def test_the_documentations_own_sample_keys_count(key: str) -> None:
    """Each sample key of the documentation enables its provider, as its examples show (S28)."""
    assert found(ACME_API_KEY=key).config.api_key == key


@pytest.mark.parametrize(
    "value", [" ac-123456 ", "ac-123456\n", "ac-123\n456", '"ac-123456"', "\tac-123456\r\n"]
)
def test_what_copying_adds_to_a_key_is_removed(value: str) -> None:
    """Blanks, line ends and quotes around or within a key are dropped (S23, S106)."""
    assert found(ACME_API_KEY=value).config.api_key == "ac-123456"


@pytest.mark.parametrize(
    "value", ["ac-first,ac-second", " ac-first , ac-second", ",ac-first", ", ,ac-first,"]
)
def test_first_of_several_keys_is_used(value: str) -> None:
    """Of a list of keys the first that is one counts."""
    assert found(ACME_API_KEY=value).config.api_key == "ac-first"


def test_unusual_key_is_warned_about_and_used() -> None:
    """A key in another form is used; the warning names its variable, not the key (S23)."""
    discovered = found(ACME_API_KEY="zz-secret-123456")
    assert discovered.missing is None
    assert len(discovered.warnings) == 1
    assert "ACME_API_KEY" in discovered.warnings[0]
    assert "ac-" in discovered.warnings[0]
    assert "secret" not in discovered.warnings[0]


def test_key_with_impossible_characters_is_warned_about() -> None:
    """A key with characters that no key has was copied badly, and that is said (S23)."""
    warnings = " ".join(found(ACME_API_KEY="ac-12…3456").warnings)
    assert "ACME_API_KEY" in warnings
    assert "3456" not in warnings


def test_proper_key_is_not_warned_about() -> None:
    """A key in the vendor's form draws no remark."""
    assert found(ACME_API_KEY="ac-123456").warnings == ()


def test_no_warnings_about_what_is_not_configured() -> None:
    """A provider without a key is not lectured about its model."""
    assert found(ACME_MODEL="acme-0").warnings == ()


def test_model_variable_puts_its_model_first() -> None:
    """The configured model is the default; the row's own stay selectable."""
    config = found(ACME_API_KEY="ac-123456", ACME_MODEL="acme-3").config
    assert config.models == ["acme-3", "acme-1", "acme-2"]


@pytest.mark.parametrize("value", ["", "  ", '""'])
def test_blank_model_is_the_default(value: str) -> None:
    """A variable without a model leaves the default."""
    assert found(ACME_API_KEY="ac-123456", ACME_MODEL=value).config.models[0] == "acme-1"


def test_retired_model_is_warned_about() -> None:
    """A retired model is named with the variable to change and a model to change to."""
    (warning,) = found(ACME_API_KEY="ac-123456", ACME_MODEL="acme-0").warnings
    assert "acme-0" in warning
    assert "ACME_MODEL" in warning
    assert "acme-2" in warning


def test_base_url_variable_redirects() -> None:
    """The configured address is used, without what copying adds and without a slash at its end."""
    config = found(ACME_API_KEY="ac-123456", ACME_API_BASE=' "http://127.0.0.1:5000/v1/" ').config
    assert config.base_url == "http://127.0.0.1:5000/v1"


def test_base_url_variable_is_optional() -> None:
    """A row without that field, or a blank variable, uses the default address (S67)."""
    without = {key: value for key, value in ROW.items() if key != "base_url_var"}
    values = {"ACME_API_KEY": "ac-123456", "ACME_API_BASE": "http://127.0.0.1:5000"}
    assert discover("acme", without, values).config.base_url == "https://api.acme.example/v1"
    assert found(ACME_API_KEY="ac-1", ACME_API_BASE=" ").config.base_url == ROW["default_base_url"]


def test_address_without_a_scheme_is_warned_about() -> None:
    """An address that is no URL is named by its variable."""
    warnings = " ".join(found(ACME_API_KEY="ac-123456", ACME_API_BASE="localhost:1").warnings)
    assert "ACME_API_BASE must begin with http:// or https://" in warnings


@given(value=st.text())
def test_any_key_text_is_survived(value: str) -> None:
    """Whatever stands in the variable, the key has no white space and is not blank."""
    key = found(ACME_API_KEY=value).config.api_key
    assert key is None or (key and not any(char.isspace() for char in key))


def test_repr_hides_the_key() -> None:
    """Printing what was discovered does not print the key (S50, S69)."""
    assert "ac-123456" not in repr(found(ACME_API_KEY="ac-123456"))


# --- the rows as shipped ---

URL_VARIABLES = [
    ("fireworks", "FIREWORKS_API_BASE"),
    ("openai", "OPENAI_API_BASE"),
    ("anthropic", "ANTHROPIC_API_BASE"),
    ("gemini", "GEMINI_API_BASE"),
    ("huggingface", "HUGGINGFACE_API_BASE"),
    ("huggingface", "HUGGINGFACE_API_URL"),
    ("openrouter", "OPENROUTER_API_BASE"),
    ("local", "LOCAL_LLM_URL"),
]


@pytest.mark.parametrize(("provider", "variable"), URL_VARIABLES)
def test_each_provider_has_its_base_url_variable(provider: str, variable: str) -> None:
    """Every provider's address can be set, Hugging Face's by either name (S22)."""
    found = discover(provider, PROVIDER_SCHEMA[provider], {variable: "http://127.0.0.1:5000/v1"})
    assert found.config.base_url == "http://127.0.0.1:5000/v1"


@pytest.mark.parametrize("url", ["http://localhost:11434", "http://192.168.0.47:5000"])
def test_both_documented_local_addresses(url: str) -> None:
    """The documentation's two examples for a local server are taken as they are (S22)."""
    assert (
        discover("local", PROVIDER_SCHEMA["local"], {"LOCAL_LLM_URL": url}).config.base_url == url
    )


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("anthropic", "https://api.anthropic.com/v1"),
        ("local", "http://localhost:11434"),
    ],
)
def test_documented_default_addresses(provider: str, url: str) -> None:
    """Without a variable the documented addresses hold; local stays on this machine (S22)."""
    assert discover(provider, PROVIDER_SCHEMA[provider], {}).config.base_url == url


KEY_FORMATS = [
    ("openai", "OPENAI_API_KEY", "sk-"),
    ("anthropic", "ANTHROPIC_API_KEY", "sk-ant-"),
    ("fireworks", "FIREWORKS_API_KEY", "fw_"),
    ("gemini", "GEMINI_API_KEY", "AIza"),
    ("huggingface", "HUGGINGFACE_API_KEY", "hf_"),
    ("openrouter", "OPENROUTER_API_KEY", "sk-or-"),
]


@pytest.mark.parametrize(("provider", "variable", "prefix"), KEY_FORMATS)
def test_documented_key_formats(provider: str, variable: str, prefix: str) -> None:
    """Each vendor's own form of key is known: others draw a warning, its own none (S23)."""

    def about_keys(key: str) -> list[str]:
        discovered = discover(provider, PROVIDER_SCHEMA[provider], {variable: key})
        assert discovered.config.api_key == key
        return [warning for warning in discovered.warnings if variable in warning]

    assert about_keys(f"{prefix}0123456789abcdef") == []
    (warning,) = about_keys("0123456789abcdef")
    assert prefix in warning
    assert "0123456789abcdef" not in warning


MODELS = [
    ("fireworks", "FIREWORKS_MODEL", "accounts/fireworks/models/llama-v3p1-8b-instruct"),
    ("openai", "OPENAI_MODEL", "gpt-4o"),
    ("anthropic", "ANTHROPIC_MODEL", "claude-3-5-sonnet-20241022"),
    ("gemini", "GEMINI_MODEL", "gemini-1.5-pro"),
    ("huggingface", "HUGGINGFACE_MODEL", "tiiuae/falcon-7b-instruct"),
    ("openrouter", "OPENROUTER_MODEL", "anthropic/claude-3-sonnet"),
    ("local", "LOCAL_LLM_MODEL", "Phi-3-mini-128k-instruct-onnx"),
]


@pytest.mark.parametrize(("provider", "variable", "model"), MODELS)
def test_documented_models(provider: str, variable: str, model: str) -> None:
    """The documented default holds without a variable, and the variable overrides it (S21)."""
    row = PROVIDER_SCHEMA[provider]
    assert discover(provider, row, {}).config.models[0] == model
    assert discover(provider, row, {variable: "Org/Some-Model_v1:2"}).config.models[0] == (
        "Org/Some-Model_v1:2"
    )


def test_keys_reach_providers_from_an_env_file(tmp_path: Any) -> None:
    """A pasted .env with quotes and comments configures providers as the environment does (S83)."""
    env_file = tmp_path / ".env"
    env_file.write_text('OPENAI_API_KEY="sk-from-file"   # the key\nCHAT_PROVIDER="openai"\n')
    registry = ProviderRegistry(settings_of({}, env_file))
    assert registry.get_config("openai").api_key == "sk-from-file"
    assert registry.get_fallback_chain() == ["openai", "local"]


def test_process_environment_beats_the_env_file(tmp_path: Any) -> None:
    """A variable of the process overrides the same one in .env."""
    env_file = tmp_path / ".env"
    env_file.write_text("OPENAI_API_KEY=sk-from-file\n")
    settings = settings_of({"OPENAI_API_KEY": "sk-from-process"}, env_file)
    assert ProviderRegistry(settings).get_config("openai").api_key == "sk-from-process"


def test_fresh_registry_reads_the_environment_itself() -> None:
    """A registry built without arguments is ready, from the environment alone (S59)."""
    with environment({"OPENAI_API_KEY": "sk-123456"}):
        assert ProviderRegistry().get_available_providers() == ["openai", "local"]
