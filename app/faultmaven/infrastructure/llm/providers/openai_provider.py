"""OpenAI, and every vendor that a row of the schema points at its format."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.wire.embeddings_openai import OpenAIEmbeddings
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENAI


class OpenAIProvider(EmbeddingProvider):
    """OpenAI's chat completions; what its newer models refuse is decided by a model's name."""

    codec = OpenAIChat(OPENAI)
    embedding_codecs = (OpenAIEmbeddings(OPENAI),)
