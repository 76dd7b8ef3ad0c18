"""Texts as vectors: plain data between the router, the codecs and the transport."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Protocol

from pydantic import Field, Strict

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireRequest, WireResponse
from faultmaven.models.attempt import Usage

_OK = 200

Vector = tuple[float, ...]
"""One text's place; comparable with vectors of the same model and length only."""

_MOST = 3.4028234663852886e38  # the largest number of single precision, in which callers get them
ReadVector = tuple[Annotated[float, Strict(), Field(ge=-_MOST, le=_MOST)], ...]
"""A vector in a vendor's JSON: numbers in range, and no text or truth value that could be one."""


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts to be turned into vectors by one model, in nobody's wire format.

    Attributes:
        model: name of the model, as the vendor writes it.
        inputs: the texts, at least one.
        dimensions: length of the vectors, or ``None`` for the model's own.
        parameters: further fields in OpenAI's names, and ``input_type``: ``search_document``,
            ``search_query``, ``classification`` or ``clustering``, for vendors that tell texts
            apart by what they are for.
    """

    model: str
    inputs: tuple[str, ...]
    dimensions: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors, in nobody's wire format.

    Attributes:
        vectors: one for each text, in their order, all of one length.
        usage: tokens read; zeros where the vendor did not say.
        model: model that answered, as the vendor names it; empty where it did not say.
        ignored: what was asked that the vendor has no word for, in the caller's names.
    """

    vectors: tuple[Vector, ...]
    usage: Usage = Usage()
    model: str = ""
    ignored: tuple[str, ...] = ()


class EmbeddingCodec(Protocol):
    """One wire format for embeddings: pure, without I/O, clock or state."""

    @property
    def most_inputs(self) -> int:
        """Most texts that one call takes."""
        ...

    def encode_embeddings(self, request: EmbeddingRequest, endpoint: Endpoint) -> WireRequest:
        """Write a request of at most `most_inputs` texts.

        Raises:
            UnsupportedRequestError: the format has no place for what is asked.
        """
        ...

    def ignored_by_embeddings(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """What is asked that the format leaves out, in the caller's names, sorted."""
        ...

    def decode_embeddings(self, response: WireResponse, request: EmbeddingRequest) -> Embeddings:
        """Read a 200 as the answer to ``request``.

        Raises:
            ProviderError: the 200 is a failure, or no vector for every text.
        """
        ...


def in_batches(request: EmbeddingRequest, most: int) -> Iterator[EmbeddingRequest]:
    """The request in parts of at most ``most`` texts, in order."""
    for start in range(0, len(request.inputs), most):
        yield replace(request, inputs=request.inputs[start : start + most])


def joined(parts: Sequence[Embeddings]) -> Embeddings:
    """The answers to the parts of one request as the answer to the whole.

    Raises:
        ProviderProtocolError: their vectors differ in length.
    """
    vectors = tuple(vector for part in parts for vector in part.vectors)
    _require_one_length(vectors, None)
    prompt = sum(part.usage.prompt for part in parts)
    model = next((part.model for part in parts if part.model), "")
    return Embeddings(vectors, Usage(prompt=prompt), model)


def checked(answer: Embeddings, request: EmbeddingRequest) -> Embeddings:
    """The answer, if it is one.

    Raises:
        ProviderProtocolError: the vectors are not as many as the texts, not of one length, or
            not of the length asked for.
    """
    found, wanted = len(answer.vectors), len(request.inputs)
    if found != wanted:
        raise ProviderProtocolError(f"{found} vectors for {wanted} texts", status_code=_OK)
    _require_one_length(answer.vectors, request.dimensions)
    return answer


def _require_one_length(vectors: Sequence[Vector], dimensions: int | None) -> None:
    lengths = {len(vector) for vector in vectors}
    if len(lengths) > 1:
        raise ProviderProtocolError("the vectors differ in length", status_code=_OK)
    (length,) = lengths or {0}
    if not length:
        raise ProviderProtocolError("the vectors are empty", status_code=_OK)
    if dimensions not in (None, length):
        message = f"the vectors have {length} dimensions instead of {dimensions}"
        raise ProviderProtocolError(message, status_code=_OK)
