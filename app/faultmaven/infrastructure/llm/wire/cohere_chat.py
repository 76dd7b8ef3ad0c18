"""Cohere's current API."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire import address, schema
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read, write_json
from faultmaven.infrastructure.llm.wire.cohere_models import decode_models, encode_models
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.turns import refuse_images
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    Listing,
    WireRequest,
    WireResponse,
)
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import StructuredOutput


class _Part(Shape):
    type: Word = ""
    text: Word = ""
    thinking: Word = ""


class _Message(Shape):
    content: tuple[_Part, ...] = ()


class _Units(Shape):
    read: Count = Field(default=0, alias="input_tokens")
    written: Count = Field(default=0, alias="output_tokens")


class _Usage(Shape):
    billed: LenientObject[_Units] = Field(default=_Units(), alias="billed_units")
    tokens: LenientObject[_Units] = _Units()


class _Answer(Shape):
    message: _Message
    finish_reason: Word = ""
    usage: LenientObject[_Usage] = _Usage()

    @property
    def completion(self) -> Completion:
        """The texts joined; billed tokens where they are given, as the price follows them."""
        parts = self.message.content
        units = self.usage.billed if self.usage.billed.written else self.usage.tokens
        return Completion(
            text="".join(part.text for part in parts if part.type == "text"),
            finish_reason=self.finish_reason,
            usage=Usage(prompt=units.read, completion=units.written),
            reasoning="\n".join(part.thinking for part in parts if part.thinking),
        )


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
            ProviderRequestError: there are pictures.
        """
        refuse_images(request.messages)
        root = address.unversioned(address.without_path(endpoint.base_url, "/chat"))
        return WireRequest(
            method="POST",
            url=address.join(root, "/v2/chat"),
            headers=bearer(endpoint),
            body=write_json(_payload(request)),
        )

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        return finished(read(response, _Answer).completion)

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


def _payload(request: CompletionRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": [
            {"role": message.role, "content": message.text}
            for message in request.messages
            if message.text
        ],
        "stream": False,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stop_sequences": list(request.stop) or None,
        "response_format": _response_format(request),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _response_format(request: CompletionRequest) -> dict[str, Any] | None:
    if request.response_schema is None:
        return None
    return {"type": "json_object", "json_schema": schema.plain(request.response_schema)}
