"""Servers on machines of one's own: Ollama, vLLM, TGI, llama.cpp and what speaks like them."""

from __future__ import annotations

from functools import cache
from typing import Any

from faultmaven.infrastructure.llm.providers.embedding import EmbeddingProvider
from faultmaven.infrastructure.llm.wire.embedded_chat import EmbeddedChat
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingCodec
from faultmaven.infrastructure.llm.wire.embeddings_openai import OpenAIEmbeddings
from faultmaven.infrastructure.llm.wire.errors import has_no_such_path
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import LOCAL
from faultmaven.infrastructure.llm.wire.types import (
    Codec,
    Endpoint,
    Listing,
    WireResponse,
)
from faultmaven.models.interfaces import ProviderConfig

EMBEDDED = "embedded"
"""Value of the option ``engine`` for the server that FaultMaven starts itself."""

_Codecs = tuple[tuple[Codec, ...], tuple[EmbeddingCodec, ...]]
_EMBEDDINGS = OpenAIEmbeddings(LOCAL)


@cache
def _codecs_of_any() -> _Codecs:
    """What a server may speak, the usual first."""
    from faultmaven.infrastructure.llm.wire import (  # noqa: PLC0415 - see HTTPProvider
        embeddings_ollama,
        ollama_chat,
        tgi_generate,
    )

    tgi = tgi_generate.TgiGenerate(route=tgi_generate.server_route, grammars=True)
    chat: tuple[Codec, ...] = (OpenAIChat(LOCAL), ollama_chat.OllamaChat(), tgi)
    return chat, (_EMBEDDINGS, embeddings_ollama.OllamaEmbeddings())


@cache
def _codecs_of_ours() -> _Codecs:
    return (EmbeddedChat(),), (_EMBEDDINGS,)


class LocalProvider(EmbeddingProvider):
    """A server whose wire format is found out by asking.

    All current servers speak OpenAI's format. One that has no such path is asked in Ollama's
    own, then in TGI's; what it understood is remembered until it no longer has that path.
    The base URL may end in ``/v1`` or not; a key is sent only where one is configured.
    """

    def __init__(self, config: ProviderConfig, **parts: Any) -> None:
        super().__init__(config, **parts)
        embedded = config.options.get("engine") == EMBEDDED
        known = _codecs_of_ours() if embedded else _codecs_of_any()
        self._codecs, self.embedding_codecs = known
        self.codec: Codec = self._codecs[0]

    def _understood(self, codec: Codec, response: WireResponse) -> bool:
        found = not has_no_such_path(response)
        self.codec = codec if found else self._codecs[0]
        return found

    async def _look(self, model: str, timeout: float, endpoint: Endpoint) -> tuple[Listing, ...]:  # noqa: ASYNC109 - passed on
        """The first list of models that the server has; none is no failure."""
        for codec in self._candidates():
            listings = await self._look_if_listed(codec, model, timeout, endpoint)
            if listings:
                return listings
        return ()

    def _candidates(self) -> tuple[Codec, ...]:
        """The format that worked last, then the others."""
        return (self.codec, *(codec for codec in self._codecs if codec is not self.codec))
