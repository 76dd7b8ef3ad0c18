"""Hugging Face's feature extraction: its router has it in place of OpenAI's embeddings."""

from __future__ import annotations

from pydantic import Field, model_validator

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.body import Shape, read
from faultmaven.infrastructure.llm.wire.embeddings import (
    EmbeddingRequest,
    Embeddings,
    ReadVector,
    checked,
)
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.tgi_generate import Route
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireRequest, WireResponse
from faultmaven.models.json_text import json_bytes

_MOST_INPUTS = 32  # Text Embeddings Inference, behind all of them, takes no more by default
_CARRIED = frozenset(("normalize", "prompt_name", "truncate"))


class _Answer(Shape):
    error: ErrorField = None
    vectors: tuple[ReadVector, ...] = Field(default=())

    @model_validator(mode="before")
    @classmethod
    def _with_envelope(cls, value: object) -> object:
        """The vectors come without an envelope."""
        return {"vectors": value} if isinstance(value, list) else value


class HuggingFaceEmbeddings:
    """Codec for ``{"inputs": […]}`` where a model extracts features.

    https://huggingface.co/docs/inference-providers/tasks/feature-extraction

    Args:
        route: where a model is asked.
    """

    most_inputs = _MOST_INPUTS

    def __init__(self, route: Route) -> None:
        self._route = route

    def encode_embeddings(self, request: EmbeddingRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request.

        Raises:
            UnsupportedRequestError: vectors of another length than the model's own are wanted.
        """
        if request.dimensions is not None:
            raise UnsupportedRequestError("Hugging Face gives no vectors of a chosen length")
        further = {name: value for name, value in request.parameters.items() if name in _CARRIED}
        return WireRequest(
            method="POST",
            url=self._route(endpoint.base_url, request.model),
            headers=bearer(endpoint),
            body=json_bytes({"inputs": list(request.inputs), **further}),
        )

    def ignored_by_embeddings(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """What is asked that the format has no word for."""
        return tuple(sorted(request.parameters.keys() - _CARRIED))

    def decode_embeddings(self, response: WireResponse, request: EmbeddingRequest) -> Embeddings:
        """Read a 200; it says nothing of tokens."""
        body = read(response, _Answer)
        if body.error is not None:
            raise read_error(response)
        return checked(Embeddings(body.vectors), request)


def router_route(base_url: str, model: str) -> str:
    """The router's own servers; the choice of a provider behind the model's name has no place."""
    name = address.segment(model.partition(":")[0])
    root = address.unversioned(address.without_path(base_url, "/chat/completions"))
    return f"{root}/hf-inference/models/{name}/pipeline/feature-extraction"
