"""Ollama's native API, for servers too old to speak OpenAI's format."""

from __future__ import annotations

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire import address, ollama_request
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Shape, read
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.headers import bearer, shared
from faultmaven.infrastructure.llm.wire.ndjson import JSONLines
from faultmaven.infrastructure.llm.wire.ollama_answer import Answer, OllamaReader, whole
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    EventReader,
    Framing,
    Listing,
    WireRequest,
    WireResponse,
)
from faultmaven.models.json_text import json_bytes
from faultmaven.models.prompt import StructuredOutput


class _Model(Shape):
    name: str


class _Tags(Shape):
    models: tuple[_Model, ...]


class OllamaChat:
    """Codec for ``POST …/api/chat``.

    https://docs.ollama.com/api/chat
    """

    def structured(self, model: str) -> StructuredOutput:
        """Ollama holds any model to a schema by a grammar."""
        del model
        return StructuredOutput.JSON_SCHEMA

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request.

        Raises:
            UnsupportedRequestError: a tool must be used, or a picture is known by its address
                alone.
        """
        return WireRequest(
            method="POST",
            url=address.join(root_of(endpoint), "/api/chat"),
            headers=shared(endpoint, bearer),
            body=json_bytes(ollama_request.payload(request)),
        )

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that Ollama has no word for."""
        return ollama_request.ignored(request)

    def framing(self) -> Framing:
        """One JSON object a line."""
        return JSONLines()

    def reader(self) -> EventReader:
        """Each line is an answer of its own, with the next piece in it."""
        return OllamaReader()

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        body = read(response, Answer)
        if body.error is not None:
            raise read_error(response)
        return finished(whole(body))

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free call: the models on disk."""
        del model
        url = address.join(root_of(endpoint), "/api/tags")
        return (WireRequest(method="GET", url=url, headers=bearer(endpoint)),)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read the models on disk."""
        return Listing(models=tuple(entry.name for entry in read(response, _Tags).models))


def root_of(endpoint: Endpoint) -> str:
    """The server's address, however much of a call's path was given with it."""
    return address.unversioned(address.without_path(endpoint.base_url, "/api/chat"))
