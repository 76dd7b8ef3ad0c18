"""What discovery logs."""

import logging

import pytest

from llm.registries import ENV_BLOCK, KEY_VARIABLES, SEVEN, messages, registry_of


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
