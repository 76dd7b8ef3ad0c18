"""Fireworks AI: OpenAI's format with full paths for model names."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.wire.embeddings_openai import OpenAIEmbeddings
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import FIREWORKS


class FireworksProvider(EmbeddingProvider):
    """Fireworks AI."""

    codec = OpenAIChat(FIREWORKS)
    embedding_codecs = (OpenAIEmbeddings(FIREWORKS),)
