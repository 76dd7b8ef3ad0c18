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
        super().__init__(config, **parts)
        if config.options.get("api", "").lower() == _CURRENT_API:
            from faultmaven.infrastructure.llm.wire import cohere_chat  # noqa: PLC0415 - see HTTPProvider

            self.codec = cohere_chat.CohereChat()
        elif not hasattr(self, "codec"):
            from faultmaven.infrastructure.llm.wire import cohere_generate  # noqa: PLC0415

            self.codec = cohere_generate.CohereGenerate()
        if not hasattr(self, "embedding_codecs"):
            from faultmaven.infrastructure.llm.wire import embeddings_cohere  # noqa: PLC0415

            self.embedding_codecs = (embeddings_cohere.CohereEmbeddings(),)
