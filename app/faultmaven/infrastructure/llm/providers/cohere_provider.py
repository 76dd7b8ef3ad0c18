"""Cohere: the documented example of a provider with a wire format of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider

_CURRENT_API = "chat"


class CohereProvider(EmbeddingProvider):
    """Cohere's ``generate`` as documented, or its current ``chat`` by the option ``api``."""

    default_max_tokens: ClassVar[int] = 1000  # as ``generate`` has it

    def __init__(self, config: ProviderConfig, **parts: Any) -> None:
        from faultmaven.infrastructure.llm.wire import (  # noqa: PLC0415 - see HTTPProvider
            cohere_chat,
            cohere_generate,
            embeddings_cohere,
        )

        super().__init__(config, **parts)
        current = config.options.get("api", "").lower() == _CURRENT_API
        self.codec = cohere_chat.CohereChat() if current else cohere_generate.CohereGenerate()
        self.embedding_codecs = (embeddings_cohere.CohereEmbeddings(),)
