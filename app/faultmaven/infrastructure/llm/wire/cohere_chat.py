"""Cohere's current API."""

from __future__ import annotations

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire import address, cohere_request
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import read
from faultmaven.infrastructure.llm.wire.cohere_answer import Answer
from faultmaven.infrastructure.llm.wire.cohere_models import decode_models, encode_models
from faultmaven.infrastructure.llm.wire.cohere_stream import CohereChatReader
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.headers import bearer, shared
from faultmaven.infrastructure.llm.wire.sse import ServerSentEvents
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


class CohereChat:
    """Codec for ``POST …/v2/chat``.

    https://docs.cohere.com/reference/chat
    """

    def structured(self, model: str) -> StructuredOutput:
        """Every model of this API takes a JSON schema."""
        del model
        return StructuredOutput.JSON_SCHEMA

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request; a base URL of version 1 is taken for its server.

        Raises:
            UnsupportedRequestError: there are pictures and the model takes none, or a form of
                the answer is demanded beside tools.
        """
        root = address.unversioned(address.without_path(endpoint.base_url, "/chat"))
        return WireRequest(
            method="POST",
            url=address.join(root, "/v2/chat"),
            headers=shared(endpoint, bearer),
            body=json_bytes(cohere_request.payload(request)),
        )

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that Cohere has no word for."""
        return cohere_request.ignored(request)

    def framing(self) -> Framing:
        """Server-sent events."""
        return ServerSentEvents()

    def reader(self) -> EventReader:
        """Events that name their type."""
        return CohereChatReader()

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        return finished(read(response, Answer).completion)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free call: the list of models."""
        del model
        return encode_models(endpoint)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read the list of models."""
        return decode_models(response)
