"""Cohere's first API: one prompt, one generation. Deprecated there, and the documented example."""

from __future__ import annotations

from typing import Any

from faultmaven.errors import ProviderError, ProviderProtocolError, UnsupportedRequestError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.body import Shape, read
from faultmaven.infrastructure.llm.wire.carried import left_out
from faultmaven.infrastructure.llm.wire.cohere_generate_stream import (
    CohereGenerateReader,
    Generation,
    Meta,
)
from faultmaven.infrastructure.llm.wire.cohere_models import decode_models, encode_models
from faultmaven.infrastructure.llm.wire.cohere_sampling import sampling
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.function_tools import refuse_tools
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.ndjson import JSONLines
from faultmaven.infrastructure.llm.wire.turns import flatten
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

DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE = 1000, 0.7
"""What the documented example sends when its caller names nothing else."""


class _Answer(Shape):
    generations: tuple[Generation, ...]
    meta: LenientObject[Meta] = Meta()


class CohereGenerate:
    """Codec for ``POST …/v1/generate``.

    https://docs.cohere.com/v1/reference/generate
    """

    def structured(self, model: str) -> StructuredOutput:
        """This format cannot hold a model to a schema."""
        del model
        return StructuredOutput.NONE

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request; the conversation becomes one prompt.

        Raises:
            UnsupportedRequestError: there are pictures or tools, or a form of the answer is
                demanded.
        """
        refuse_tools(request.controls)
        if request.controls.response_format is not None:
            raise UnsupportedRequestError("this wire format cannot promise the answer's form")
        base = address.without_path(endpoint.base_url, "/generate")
        return WireRequest(
            method="POST",
            url=address.join(address.versioned(base, "/v1"), "/generate"),
            headers=bearer(endpoint),
            body=json_bytes(_payload(request)),
        )

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that this format has no word for."""
        return left_out(
            request, carried=sampling(request.controls.parameters, in_openai_names=True)
        )

    def framing(self) -> Framing:
        """One JSON object a line."""
        return JSONLines()

    def reader(self) -> EventReader:
        """Lines that name their type."""
        return CohereGenerateReader()

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200."""
        body = read(response, _Answer)
        if not body.generations:
            message = "the answer has no generations"
            raise ProviderProtocolError(message, status_code=response.status)
        generation = body.generations[0]
        return finished(
            Completion(
                text=generation.text,
                finish_reason=generation.finish_reason,
                usage=body.meta.usage,
            )
        )

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
    temperature = request.temperature
    return {
        "model": request.model,
        "prompt": flatten(request.messages),
        "max_tokens": request.max_tokens or DEFAULT_MAX_TOKENS,
        "temperature": DEFAULT_TEMPERATURE if temperature is None else temperature,
        **({"stop_sequences": list(request.stop)} if request.stop else {}),
        **({"stream": True} if request.stream else {}),
        **sampling(request.controls.parameters),
    }
