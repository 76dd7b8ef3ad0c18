"""Cohere's embeddings."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.body import Count, Shape, read
from faultmaven.infrastructure.llm.wire.embeddings import (
    EmbeddingRequest,
    Embeddings,
    ReadVector,
    checked,
)
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireRequest, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.json_text import json_bytes

_MOST_INPUTS = 96
_PURPOSE = "input_type"
_USUAL_PURPOSE = "search_document"  # Cohere wants one; most texts are there to be found
_CARRIED = frozenset((_PURPOSE, "truncate"))
_CALLS = ("/embed", "/chat", "/generate")  # a base URL may have been given with one of them


class _Vectors(Shape):
    floats: tuple[ReadVector, ...] = Field(alias="float")


class _Units(Shape):
    read: Count = Field(default=0, alias="input_tokens")


class _Meta(Shape):
    billed: LenientObject[_Units] = Field(default=_Units(), alias="billed_units")


class _Answer(Shape):
    embeddings: _Vectors
    meta: LenientObject[_Meta] = _Meta()


class CohereEmbeddings:
    """Codec for ``POST …/v2/embed``.

    https://docs.cohere.com/reference/embed
    """

    most_inputs = _MOST_INPUTS

    def encode_embeddings(self, request: EmbeddingRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request; a base URL of version 1 is taken for its server."""
        base = endpoint.base_url
        for call in _CALLS:
            base = address.without_path(base, call)
        return WireRequest(
            method="POST",
            url=address.join(address.unversioned(base), "/v2/embed"),
            headers=bearer(endpoint),
            body=json_bytes(_payload(request)),
        )

    def ignored_by_embeddings(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """What is asked that Cohere has no word for."""
        return tuple(sorted(request.parameters.keys() - _CARRIED))

    def decode_embeddings(self, response: WireResponse, request: EmbeddingRequest) -> Embeddings:
        """Read a 200."""
        body = read(response, _Answer)
        usage = Usage(prompt=body.meta.billed.read)
        return checked(Embeddings(body.embeddings.floats, usage), request)


def _payload(request: EmbeddingRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": request.model,
        "texts": list(request.inputs),
        "embedding_types": ["float"],
        "output_dimension": request.dimensions,
        **{name: request.parameters.get(name) for name in _CARRIED},
    }
    payload = {name: value for name, value in fields.items() if value is not None}
    return {_PURPOSE: _USUAL_PURPOSE} | payload
