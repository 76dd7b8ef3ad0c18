"""Embeddings in OpenAI's format, and whoever copied it."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import Any

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read
from faultmaven.infrastructure.llm.wire.embeddings import (
    EmbeddingRequest,
    Embeddings,
    ReadVector,
    Vector,
    checked,
)
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENAI, ChatDialect
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireRequest, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.json_text import json_bytes

_OK = 200
_PATH = "/embeddings"
# OpenAI takes 2,048, but only 300,000 tokens of them; and reading that many vectors at once would
# hold up everybody else for seconds.
_MOST_INPUTS = 256
_BYTES = 4  # of a number in base64: little-endian, single precision
# How numbers are written is between us and the vendor.
_OURS = ("encoding_format", "input", "model")


class _Entry(Shape):
    embedding: ReadVector | str
    index: int | None = None

    @property
    def vector(self) -> Vector:
        """The numbers, also of a vendor that writes base64 unasked."""
        return _unpacked(self.embedding) if isinstance(self.embedding, str) else self.embedding


class _Spent(Shape):
    prompt_tokens: Count = 0
    total_tokens: Count = 0


class _Answer(Shape):
    error: ErrorField = None
    data: tuple[_Entry, ...] = ()
    model: Word = ""
    usage: LenientObject[_Spent] = _Spent()


class OpenAIEmbeddings:
    """Codec for ``POST …/embeddings``.

    Unknown fields are sent as they are: whoever copied the format may know them.
    https://platform.openai.com/docs/api-reference/embeddings
    """

    most_inputs = _MOST_INPUTS

    def __init__(self, dialect: ChatDialect = OPENAI) -> None:
        self._dialect = dialect

    def encode_embeddings(self, request: EmbeddingRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request."""
        parameters = request.parameters.items()
        further = {name: value for name, value in parameters if name not in _OURS}
        body: dict[str, Any] = further | {"model": request.model, "input": list(request.inputs)}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        return WireRequest(
            method="POST",
            url=address.join(self._base(endpoint), _PATH),
            headers=self._headers(endpoint),
            body=json_bytes(body),
        )

    def ignored_by_embeddings(self, request: EmbeddingRequest) -> tuple[str, ...]:
        """Nothing: what is unknown may be known there."""
        del request
        return ()

    def decode_embeddings(self, response: WireResponse, request: EmbeddingRequest) -> Embeddings:
        """Read a 200."""
        body = read(response, _Answer)
        if body.error is not None:
            raise read_error(response)
        spent = body.usage.prompt_tokens or body.usage.total_tokens
        vectors = tuple(entry.vector for entry in _in_order(body.data))
        return checked(Embeddings(vectors, Usage(prompt=spent), body.model), request)

    def _base(self, endpoint: Endpoint) -> str:
        base = address.without_path(endpoint.base_url, self._dialect.path)
        version = self._dialect.version
        return address.versioned(base, version) if version else base

    def _headers(self, endpoint: Endpoint) -> dict[str, str]:
        options = endpoint.options
        further = self._dialect.option_headers.items()
        named = {header: options[option] for option, header in further if option in options}
        return bearer(endpoint) | named


def _in_order(entries: tuple[_Entry, ...]) -> list[_Entry]:
    """The entries in the order of their texts, which is their own where they have no number."""
    places = [entry.index for entry in entries]
    if all(place is None for place in places):
        return list(entries)
    if sorted(place or 0 for place in places) != list(range(len(entries))):
        raise ProviderProtocolError("the vectors are not numbered one by one", status_code=_OK)
    return sorted(entries, key=lambda entry: entry.index or 0)


def _unpacked(packed: str) -> Vector:
    try:
        raw = base64.b64decode(packed, validate=True)
        vector: Vector = struct.unpack(f"<{len(raw) // _BYTES}f", raw)
    except (binascii.Error, struct.error, ValueError) as error:
        message = "a vector is neither numbers nor base64 of them"
        raise ProviderProtocolError(message, status_code=_OK) from error
    if not all(map(math.isfinite, vector)):
        raise ProviderProtocolError("a vector has a number that is not finite", status_code=_OK)
    return vector
