"""Registries for tests: the documentation's own environments and rows."""

from typing import Any

import pytest

from doubles import settings_of
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import (
    ProviderRegistry,
)

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


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """Give the registry's own lines of one level."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.endswith("providers.registry") and record.levelno == level
    ]
