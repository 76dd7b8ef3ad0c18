"""Gemini's embeddings."""

from __future__ import annotations

from collections.abc import Mapping
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
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.headers import JSON, usable_key
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireRequest, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.json_text import json_bytes

_MOST_INPUTS = 100
_DEFAULT_VERSION = "/v1beta"
_COLLECTION = "models/"
_PURPOSE = "input_type"
_PURPOSES: Mapping[str, str] = {
    "search_document": "RETRIEVAL_DOCUMENT",
    "search_query": "RETRIEVAL_QUERY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


class _Vector(Shape):
    values: ReadVector


class _Spent(Shape):
    prompt: Count = Field(default=0, alias="promptTokenCount")


class _Answer(Shape):
    error: ErrorField = None
    embeddings: tuple[_Vector, ...] = ()
    usage: LenientObject[_Spent] = Field(default=_Spent(), alias="usageMetadata")


class GeminiEmbeddings:
    """Codec for ``POST …/models/{model}:batchEmbedContents``.

    https://ai.google.dev/api/embeddings
    """

    most_inputs = _MOST_INPUTS

    def encode_embeddings(self, request: EmbeddingRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request; the key travels in a header, as an address ends up in logs."""
        base = address.versioned(endpoint.base_url, _DEFAULT_VERSION)
        key = usable_key(endpoint)
        return WireRequest(
            method="POST",
            url=f"{base}/{address.segment(_resource(request.model))}:batchEmbedContents",
            headers={**JSON, "x-goog-api-key": key} if key else JSON,
            body=json_bytes({"requests": [_entry(request, text) for text in request.inputs]}),
        )

    def ignored_by_embeddings(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """What is asked that Gemini has no word for."""
        carried = {_PURPOSE} if _purpose(request) else set()
        return tuple(sorted(request.parameters.keys() - carried))

    def decode_embeddings(self, response: WireResponse, request: EmbeddingRequest) -> Embeddings:
        """Read a 200."""
        body = read(response, _Answer)
        if body.error is not None:
            raise read_error(response)
        vectors = tuple(vector.values for vector in body.embeddings)
        return checked(Embeddings(vectors, Usage(prompt=body.usage.prompt)), request)


def _resource(model: str) -> str:
    return model if model.startswith(_COLLECTION) else f"{_COLLECTION}{model}"


def _entry(request: EmbeddingRequest, text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": _resource(request.model),
        "content": {"parts": [{"text": text}]},
        "outputDimensionality": request.dimensions,
        "taskType": _purpose(request),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _purpose(request: EmbeddingRequest) -> str | None:
    return _PURPOSES.get(str(request.parameters.get(_PURPOSE)))
