"""Cohere: the documented example of a provider with a wire format of its own."""

from __future__ import annotations

from typing import ClassVar

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.cohere_chat import CohereChat
from faultmaven.infrastructure.llm.wire.cohere_generate import DEFAULT_MAX_TOKENS, CohereGenerate
from faultmaven.infrastructure.llm.wire.embeddings_cohere import CohereEmbeddings
from faultmaven.infrastructure.llm.wire.types import Codec

_CURRENT_API = "chat"


class CohereProvider(EmbeddingProvider):
    """Cohere's ``generate`` as documented, or its current ``chat`` by the option ``api``."""

    codec: Codec = CohereGenerate()
    embedding_codecs = (CohereEmbeddings(),)
    default_max_tokens: ClassVar[int] = DEFAULT_MAX_TOKENS

    def __init__(self, config: ProviderConfig, *, transport: Transport | None = None) -> None:
        super().__init__(config, transport=transport)
        if config.options.get("api", "").lower() == _CURRENT_API:
            self.codec = CohereChat()
