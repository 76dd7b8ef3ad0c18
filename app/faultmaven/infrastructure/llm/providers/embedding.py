"""A vendor that turns texts into vectors, beside answering."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

from faultmaven.errors import ErrorClass, ProviderError, UnsupportedRequestError
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.resilience.deadline import within
from faultmaven.infrastructure.llm.wire.embeddings import (
    EmbeddingCodec,
    EmbeddingRequest,
    Embeddings,
    in_batches,
    joined,
)
from faultmaven.infrastructure.llm.wire.errors import has_no_such_path
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireResponse

_OK = 200
_MODEL_HINT = "Name one of the provider's embedding models: those that answer give no vectors."


@runtime_checkable
class Embedding(Protocol):
    """A provider that can be asked for vectors."""

    async def embed(self, request: EmbeddingRequest, *, timeout: float) -> Embeddings:  # noqa: ASYNC109 - the contract passes a length
        """Ask once."""
        ...


class EmbeddingProvider(HTTPProvider):
    """A vendor that gives embeddings too. A subclass names the formats, the usual one first."""

    embedding_codecs: tuple[EmbeddingCodec, ...]

    async def embed(self, request: EmbeddingRequest, *, timeout: float) -> Embeddings:  # noqa: ASYNC109 - bounds the waits in it
        """Ask once, in as many calls as the vendor needs, all within ``timeout`` seconds.

        Raises:
            ProviderError: the attempt failed; provider, model and hint are filled in.
        """
        try:
            async with within(timeout):
                return await self._embedded(request, timeout)
        except ProviderError as error:
            if error.error_class is ErrorClass.MODEL_NOT_FOUND:
                error.hint = error.hint or _MODEL_HINT
            raise self._signed(error, request.model) from error.__cause__

    async def _embedded(self, request: EmbeddingRequest, timeout: float) -> Embeddings:  # noqa: ASYNC109 - passed on
        """Ask in the first format whose path the server has, one batch after the other."""
        for codec in self.embedding_codecs:
            first, *rest = in_batches(request, codec.most_inputs)
            response = await self._asked(codec, first, timeout)
            if not has_no_such_path(response):
                break
        parts = [self._vectors(codec, response, first)]
        for batch in rest:
            response = await self._asked(codec, batch, timeout)
            parts.append(self._vectors(codec, response, batch))
        return replace(joined(parts), ignored=codec.ignored_by_embeddings(request))

    async def _asked(
        self,
        codec: EmbeddingCodec,
        batch: EmbeddingRequest,
        timeout: float,  # noqa: ASYNC109 - passed on
    ) -> WireResponse:
        """One call's answer: vectors, or that the server has no such path."""

        async def ask(endpoint: Endpoint) -> WireResponse:
            response = await self._scrubbed(codec.encode_embeddings(batch, endpoint), timeout)
            if response.status != _OK and not has_no_such_path(response):
                raise self._failure(self.codec, response)
            return response

        return await self._keys.ask(ask)

    def _vectors(
        self, codec: EmbeddingCodec, response: WireResponse, batch: EmbeddingRequest
    ) -> Embeddings:
        if has_no_such_path(response):  # a server that answers need not give vectors
            message = f"HTTP {response.status}: the server gives no embeddings"
            raise UnsupportedRequestError(message, status_code=response.status)
        return codec.decode_embeddings(response, batch)
