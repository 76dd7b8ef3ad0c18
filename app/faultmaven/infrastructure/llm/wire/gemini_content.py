"""Google's Gemini API, methods ``generateContent`` and ``streamGenerateContent``."""

from __future__ import annotations

from typing import Any

from faultmaven.errors import ProviderError, ProviderProtocolError, UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire import gemini_controls as controls
from faultmaven.infrastructure.llm.wire.alternation import alternate
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import read
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.gemini_answer import ContentResponse, Models
from faultmaven.infrastructure.llm.wire.gemini_models import knows_schemas
from faultmaven.infrastructure.llm.wire.gemini_stream import GeminiReader
from faultmaven.infrastructure.llm.wire.gemini_turns import write_turns
from faultmaven.infrastructure.llm.wire.headers import JSON, shared, usable_key
from faultmaven.infrastructure.llm.wire.sse import ServerSentEvents
from faultmaven.infrastructure.llm.wire.turns import system_text
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

_DEFAULT_VERSION = "/v1beta"
_PAGE = 1000  # most models one page of the list holds
_COLLECTIONS = ("models/", "tunedModels/")
# Without ``alt`` a stream is one JSON array.
_METHODS = {False: "generateContent", True: "streamGenerateContent?alt=sse"}


class GeminiContent:
    """Codec for ``POST …/models/{model}:generateContent``.

    The key travels in a header only: an address ends up in logs.
    https://ai.google.dev/api/generate-content
    """

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        return StructuredOutput.JSON_SCHEMA if knows_schemas(model) else StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request.

        Raises:
            UnsupportedRequestError: nobody says anything, a picture is given by its address only,
                or the model cannot promise the form of the answer.
        """
        path = f"/{_resource(request.model)}:{_METHODS[request.stream]}"
        return WireRequest(
            method="POST",
            url=address.join(_base(endpoint), path),
            headers=shared(endpoint, _headers),
            body=json_bytes(_payload(request)),
        )

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that is left out."""
        missing = left_out(request, carried=controls.carried(request))
        return tuple(sorted({*missing, *controls.unknown(request)}))

    def framing(self) -> Framing:
        """What cuts a stream into events."""
        return ServerSentEvents()

    def reader(self) -> EventReader:
        """What reads the events of a stream."""
        return GeminiReader()

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        body = read(response, ContentResponse)
        if body.error is not None:
            raise read_error(response)
        if body.candidates:
            return finished(body.completion)
        if body.blocked is not None:
            raise body.blocked
        raise ProviderProtocolError("the answer has no candidates", status_code=response.status)

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200."""
        return read_error(response)

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the free call: the list of models, which needs a good key."""
        del model
        url = address.join(_base(endpoint), f"/models?pageSize={_PAGE}")
        return (WireRequest(method="GET", url=url, headers=_headers(endpoint)),)

    def decode_check(self, response: WireResponse) -> Listing:
        """Read the list of models."""
        entries = read(response, Models).models
        names = tuple(entry.name.removeprefix("models/") for entry in entries)
        return Listing(models=names, key_accepted=True)


def _base(endpoint: Endpoint) -> str:
    return address.versioned(endpoint.base_url, _DEFAULT_VERSION)


def _headers(endpoint: Endpoint) -> dict[str, str]:
    key = usable_key(endpoint)
    return {**JSON, "x-goog-api-key": key} if key else dict(JSON)


def _resource(model: str) -> str:
    name = model if model.startswith(_COLLECTIONS) else f"models/{model}"
    return address.segment(name)


def _payload(request: CompletionRequest) -> dict[str, Any]:
    system, turns = system_text(request.messages), alternate(request.messages)
    if not turns:
        raise UnsupportedRequestError("Gemini wants a message beside the system's")
    fields: dict[str, Any] = {
        "contents": write_turns(turns, model=request.model),
        "tools": controls.tools(request),
        "toolConfig": controls.tool_config(request),
        "systemInstruction": {"parts": [{"text": system}]} if system else None,
        "generationConfig": controls.configuration(request),
    }
    return {name: value for name, value in fields.items() if value is not None}
