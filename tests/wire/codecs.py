"""Every codec by the name that cassettes call it."""

from collections.abc import Mapping

from faultmaven.infrastructure.llm.wire.anthropic_messages import AnthropicMessages
from faultmaven.infrastructure.llm.wire.cohere_chat import CohereChat
from faultmaven.infrastructure.llm.wire.cohere_generate import CohereGenerate
from faultmaven.infrastructure.llm.wire.embedded_chat import EmbeddedChat
from faultmaven.infrastructure.llm.wire.gemini_content import GeminiContent
from faultmaven.infrastructure.llm.wire.ollama_chat import OllamaChat
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import (
    FIREWORKS,
    HUGGINGFACE,
    LOCAL,
    OPENAI,
    OPENROUTER,
)
from faultmaven.infrastructure.llm.wire.tgi_generate import (
    TgiGenerate,
    endpoint_route,
    server_route,
)
from faultmaven.infrastructure.llm.wire.types import Codec

CODECS: Mapping[str, Codec] = {
    "openai": OpenAIChat(OPENAI),
    "fireworks": OpenAIChat(FIREWORKS),
    "huggingface": OpenAIChat(HUGGINGFACE),
    "openrouter": OpenAIChat(OPENROUTER),
    "local": OpenAIChat(LOCAL),
    "anthropic": AnthropicMessages(),
    "gemini": GeminiContent(),
    "cohere_generate": CohereGenerate(),
    "cohere_chat": CohereChat(),
    "embedded": EmbeddedChat(),
    "ollama": OllamaChat(),
    "tgi": TgiGenerate(route=server_route, grammars=True),
    "huggingface_endpoint": TgiGenerate(route=endpoint_route, grammars=False),
}
