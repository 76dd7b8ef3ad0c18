"""Each vendor as a test asks it: its upstream's dialect and our class for it."""

from collections.abc import Mapping
from typing import Any

from faultmaven.infrastructure.llm.providers.anthropic_provider import AnthropicProvider
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider
from faultmaven.infrastructure.llm.providers.fireworks_provider import FireworksProvider
from faultmaven.infrastructure.llm.providers.gemini_provider import GeminiProvider
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.providers.huggingface_provider import HuggingFaceProvider
from faultmaven.infrastructure.llm.providers.local_provider import LocalProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.openrouter_provider import OpenRouterProvider
from faultmaven.infrastructure.llm.transport import Transport
from upstreams import Upstream

CLASSES: Mapping[str, type[HTTPProvider]] = {
    "fireworks": FireworksProvider,
    "openai": OpenAIProvider,
    "anthropic": AnthropicProvider,
    "gemini": GeminiProvider,
    "huggingface": HuggingFaceProvider,
    "hf_endpoint": HuggingFaceProvider,
    "hf_endpoint_object": HuggingFaceProvider,
    "openrouter": OpenRouterProvider,
    "together": OpenAIProvider,
    "cohere": CohereProvider,
    "ollama": LocalProvider,
    "vllm": LocalProvider,
    "vllm_older": LocalProvider,
    "tgi": LocalProvider,
    "llamacpp": LocalProvider,
}
"""Our class for each dialect of the upstreams."""

SEVEN: Mapping[str, str] = {
    "fireworks": "fireworks",
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "huggingface": "huggingface",
    "openrouter": "openrouter",
    "local": "ollama",
}
"""The seven providers of the schema, with the dialect that stands for each."""


def config_for(upstream: Upstream, *, name: str | None = None, **changes: Any) -> ProviderConfig:
    """A provider's configuration for this upstream."""
    dialect = upstream.dialect
    fields: dict[str, Any] = {
        "name": name or dialect.name,
        "api_key": upstream.key or None,
        "base_url": upstream.base_url,
        "models": [upstream.model],
        "needs_key": dialect.key is not None,
        "local": CLASSES[dialect.name] is LocalProvider,
        "model_var": "VENDOR_MODEL",
        "api_key_var": "VENDOR_API_KEY",
        "base_url_var": "VENDOR_API_BASE",
    }
    return ProviderConfig(**{**fields, **changes})


def provider_for(
    upstream: Upstream, transport: Transport, *, name: str | None = None, **changes: Any
) -> HTTPProvider:
    """Our provider for this upstream."""
    config = config_for(upstream, name=name, **changes)
    return CLASSES[upstream.dialect.name](config, transport=transport)
