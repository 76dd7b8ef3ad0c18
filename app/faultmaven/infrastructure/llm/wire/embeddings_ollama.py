"""Embeddings in Ollama's native format, for servers too old to speak OpenAI's."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read
from faultmaven.infrastructure.llm.wire.embeddings import (
    EmbeddingRequest,
    Embeddings,
    ReadVector,
    checked,
)
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.ollama_chat import root_of
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireRequest, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.json_text import json_bytes

_MOST_INPUTS = 256  # Ollama names no limit; reading more vectors at once takes too long
_CARRIED = frozenset(("truncate", "keep_alive"))


class _Answer(Shape):
    error: ErrorField = None
    vectors: tuple[ReadVector, ...] = Field(default=(), alias="embeddings")
    model: Word = ""
    read: Count = Field(default=0, alias="prompt_eval_count")


class OllamaEmbeddings:
    """Codec for ``POST …/api/embed``.

    https://docs.ollama.com/api/embed
    """

    most_inputs = _MOST_INPUTS

    def encode_embeddings(self, request: EmbeddingRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request."""
        fields: dict[str, Any] = {
            "model": request.model,
            "input": list(request.inputs),
            "dimensions": request.dimensions,
            **{name: request.parameters.get(name) for name in _CARRIED},
        }
        return WireRequest(
            method="POST",
            url=address.join(root_of(endpoint), "/api/embed"),
            headers=bearer(endpoint),
            body=json_bytes({name: value for name, value in fields.items() if value is not None}),
        )

    def ignored_by_embeddings(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """What is asked that Ollama has no word for."""
        return tuple(sorted(request.parameters.keys() - _CARRIED))

    def decode_embeddings(self, response: WireResponse, request: EmbeddingRequest) -> Embeddings:
        """Read a 200."""
        body = read(response, _Answer)
        if body.error is not None:
            raise read_error(response)
        return checked(Embeddings(body.vectors, Usage(prompt=body.read), body.model), request)
