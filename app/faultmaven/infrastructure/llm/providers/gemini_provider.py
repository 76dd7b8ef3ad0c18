"""Google Gemini."""

from __future__ import annotations

from typing import Any

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider


class GeminiProvider(EmbeddingProvider):
    """Google's Gemini API."""

    def __init__(self, config: ProviderConfig, **parts: Any) -> None:
        from faultmaven.infrastructure.llm.wire import (  # noqa: PLC0415 - see HTTPProvider
            embeddings_gemini,
            gemini_content,
        )

        super().__init__(config, **parts)
        self.codec = gemini_content.GeminiContent()
        self.embedding_codecs = (embeddings_gemini.GeminiEmbeddings(),)
