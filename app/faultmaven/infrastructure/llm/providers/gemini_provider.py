"""Google Gemini."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.wire.embeddings_gemini import GeminiEmbeddings
from faultmaven.infrastructure.llm.wire.gemini_content import GeminiContent


class GeminiProvider(EmbeddingProvider):
    """Google's Gemini API."""

    codec = GeminiContent()
    embedding_codecs = (GeminiEmbeddings(),)
