"""The vendors: one small class each, and the registry that configures them."""

from faultmaven.infrastructure.llm.providers.anthropic_provider import AnthropicProvider
from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider
from faultmaven.infrastructure.llm.providers.fireworks_provider import FireworksProvider
from faultmaven.infrastructure.llm.providers.gemini_provider import GeminiProvider
from faultmaven.infrastructure.llm.providers.huggingface_provider import HuggingFaceProvider
from faultmaven.infrastructure.llm.providers.local_provider import LocalProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.openrouter_provider import OpenRouterProvider

__all__ = [
    "AnthropicProvider",
    "CohereProvider",
    "FireworksProvider",
    "GeminiProvider",
    "HuggingFaceProvider",
    "LocalProvider",
    "OpenAIProvider",
    "OpenRouterProvider",
]
