"""Hugging Face: its router in OpenAI's format, or an endpoint in the older one."""

from __future__ import annotations

from typing import Any

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.wire.address import tidy
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingCodec
from faultmaven.infrastructure.llm.wire.embeddings_openai import OpenAIEmbeddings
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import HUGGINGFACE
from faultmaven.infrastructure.llm.wire.types import Codec, Endpoint, Listing

_ROUTER = OpenAIChat(HUGGINGFACE)
_OPENAI_SHAPED = ("/v1", "/chat/completions")
_ROUTER_HOST = "router.huggingface.co"  # it has no OpenAI-shaped embeddings


class HuggingFaceProvider(EmbeddingProvider):
    """Hugging Face; a base URL that does not end in ``/v1`` is an endpoint of the older kind.

    The older kind is a dedicated Inference Endpoint, or ``…/models``, where the model's name
    becomes part of the address.
    """

    codec: Codec = _ROUTER
    embedding_codecs: tuple[EmbeddingCodec, ...] = (OpenAIEmbeddings(HUGGINGFACE),)

    def __init__(self, config: ProviderConfig, **parts: Any) -> None:
        from faultmaven.infrastructure.llm.wire import (  # noqa: PLC0415 - see HTTPProvider
            embeddings_huggingface as vectors,
        )
        from faultmaven.infrastructure.llm.wire import tgi_generate as tgi  # noqa: PLC0415

        super().__init__(config, **parts)
        if not tidy(config.base_url).endswith(_OPENAI_SHAPED):
            self.codec = tgi.TgiGenerate(route=tgi.endpoint_route, grammars=False)
            self.embedding_codecs = (vectors.HuggingFaceEmbeddings(tgi.endpoint_route),)
        elif _ROUTER_HOST in config.base_url:
            self.embedding_codecs = (vectors.HuggingFaceEmbeddings(vectors.router_route),)

    async def _look(self, model: str, timeout: float, endpoint: Endpoint) -> tuple[Listing, ...]:  # noqa: ASYNC109 - passed on
        """An endpoint has a free call only where TGI runs behind it."""
        if self.codec is _ROUTER:
            return await super()._look(model, timeout, endpoint)
        return await self._look_if_listed(self.codec, model, timeout, endpoint)

    def listed_name(self, model: str) -> str:
        """The model's name without the router's choice of a provider (``:fastest`` and kin)."""
        return model.partition(":")[0]
