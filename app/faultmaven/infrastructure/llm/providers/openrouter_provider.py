"""OpenRouter: OpenAI's format in front of many vendors."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.wire.embeddings_openai import OpenAIEmbeddings
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENROUTER


class OpenRouterProvider(EmbeddingProvider):
    """OpenRouter; the options ``referer`` and ``title`` name the application to it."""

    codec = OpenAIChat(OPENROUTER)
    embedding_codecs = (OpenAIEmbeddings(OPENROUTER),)
