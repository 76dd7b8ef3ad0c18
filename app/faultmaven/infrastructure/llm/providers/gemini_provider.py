"""Google Gemini."""

from __future__ import annotations

from typing import Any

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider


class GeminiProvider(EmbeddingProvider):
    """Google's Gemini API."""

    def __init__(self, config: ProviderConfig, **parts: Any) -> None:
        super().__init__(config, **parts)
        if not hasattr(self, "codec"):
            from faultmaven.infrastructure.llm.wire import gemini_content  # noqa: PLC0415 - see HTTPProvider

            self.codec = gemini_content.GeminiContent()
        if not hasattr(self, "embedding_codecs"):
            from faultmaven.infrastructure.llm.wire import embeddings_gemini  # noqa: PLC0415

            self.embedding_codecs = (embeddings_gemini.GeminiEmbeddings(),)
