"""The operations of OpenAI's protocol, as the API's description has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from faultmaven.api.body import TIMEOUT_HEADER
from faultmaven.api.errors import Failure, problem_of
from faultmaven.api.example_answer import ANSWER, QUESTION
from faultmaven.api.fingerprint import SINGLE_FLIGHT_PARAMETER
from faultmaven.api.openai.answer import Envelope, completion_body
from faultmaven.api.openai.chunks import DONE, Chunks
from faultmaven.api.openai.errors import error_body
from faultmaven.api.openai.request import ChatRequest
from faultmaven.api.openai.vectors import EmbeddingsRequest, embeddings_body
from faultmaven.api.openapi import DOCUMENTED_ERRORS, by_example, schema_ref, shown
from faultmaven.errors import AllProvidersFailedError, ErrorClass, FaultMavenError
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.embedding import EmbeddingAnswer
from faultmaven.services.model_directory import UnknownModelError

_ENVELOPE = Envelope("chatcmpl-5f1c0d6e", 1_741_962_003)

_CHAT: dict[str, Any] = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": QUESTION},
    ],
}

_EMBEDDINGS: dict[str, Any] = {
    "model": "openai/text-embedding-3-small",
    "input": ["no space left on device"],
}

_VECTORS = EmbeddingAnswer(
    ((0.0123, -0.0456, 0.0789),), "openai", "text-embedding-3-small", Usage(prompt=6)
)

_MODEL: dict[str, Any] = {
    "id": "openai/gpt-4o",
    "object": "model",
    "created": 1_741_962_003,
    "owned_by": "openai",
}

_RATE_LIMITED = AllProvidersFailedError(
    "All providers failed: openai: rate_limited (HTTP 429)",
    attempts=[Attempt("openai", "gpt-4o", error_class=ErrorClass.RATE_LIMITED, status_code=429)],
    retry_after=20,
    hint="Ask again in 20 seconds, or configure a further provider.",
)

_ERRORS: Mapping[int, FaultMavenError] = {
    **DOCUMENTED_ERRORS,
    404: UnknownModelError(
        "names a model that does not exist here",
        field="model",
        hint="Choose from: auto, openai, openai/gpt-4o.",
    ),
    429: _RATE_LIMITED,
}


def _error_example(error: FaultMavenError) -> dict[str, Any]:
    problem = problem_of(error, request_id="req-8c1d3a52", instance=None)
    return error_body(Failure(problem, error=error))


def _stream_example() -> str:
    chunks = Chunks(_ENVELOPE, ANSWER.model, with_usage=False)
    told = chunks.text("The disk") + chunks.text(" is full.")
    return (chunks.first(silent=False) + told + chunks.last("stop") + DONE).decode()


EXAMPLES: dict[str, Any] = {
    "ChatCompletion": completion_body(ANSWER, _ENVELOPE),
    "ChatCompletionStream": _stream_example(),
    "Embeddings": embeddings_body(_VECTORS, packed=False),
    "Model": _MODEL,
    "ModelList": {"object": "list", "data": [_MODEL]},
    **{f"OpenAIError{status}": _error_example(error) for status, error in _ERRORS.items()},
}
"""What the operations answer, by name."""

BODIES = (ChatRequest, EmbeddingsRequest)
"""What the operations read."""


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: shown(_ERRORS[status].title, f"OpenAIError{status}") for status in statuses}


def _read(
    body: type[BaseModel], example: dict[str, Any], *headers: dict[str, Any]
) -> dict[str, Any]:
    content = {"application/json": {"schema": schema_ref(body), "example": example}}
    return {
        "requestBody": {"required": True, "content": content},
        "parameters": [
            {
                "name": TIMEOUT_HEADER,
                "in": "header",
                "description": "Seconds until you need the answer; an earlier deadline_ms wins.",
                "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
                "example": 30,
            },
            *headers,
        ],
    }


CHAT: dict[str, Any] = {
    "operation_id": "create_chat_completion",
    "summary": "Continue a conversation, in OpenAI's protocol",
    "description": (
        "For any OpenAI client: give it this service as base URL. Whoever of the chain answers, "
        "text, images, tools and streams look as OpenAI's do; headers tell who did "
        "(`X-FaultMaven-Provider`, `-Model`, `-Attempts`, `-Confidence`), and "
        "`X-FaultMaven-Ignored-Fields` what that provider has no word for. Fields this service "
        "does not know reach providers that speak the same protocol. Once a stream has begun, a "
        "failure is an event with `error`, and `[DONE]` does not come. A stream's headers leave "
        "when the answer begins and tell no confidence; where nothing begins for 15 seconds they "
        "leave with the first keep-alive and tell nothing of who answers. With "
        "`stream_options.include_usage`, counts that the provider never told are 0: OpenAI's "
        "clients expect numbers."
    ),
    "responses": {
        200: {
            "description": "The answer; with `stream`, as events.",
            "content": {
                "application/json": by_example("ChatCompletion"),
                "text/event-stream": by_example("ChatCompletionStream"),
            },
        },
        **_errors(400, 404, 408, 413, 415, 429, 500, 503),
    },
    "openapi_extra": _read(ChatRequest, _CHAT, SINGLE_FLIGHT_PARAMETER),
}
"""How ``POST /v1/chat/completions`` is declared."""

EMBEDDINGS: dict[str, Any] = {
    "operation_id": "create_embeddings",
    "summary": "Turn texts into vectors, in OpenAI's protocol",
    "description": (
        "Asks exactly the provider whose model is named: vectors of different models cannot be "
        "compared, so there is no chain here. Tokens instead of texts are refused."
    ),
    "responses": {
        200: shown("The vectors, in the order of the texts.", "Embeddings"),
        **_errors(400, 404, 408, 413, 415, 429, 500, 503),
    },
    "openapi_extra": _read(EmbeddingsRequest, _EMBEDDINGS),
}
"""How ``POST /v1/embeddings`` is declared."""

MODELS: dict[str, Any] = {
    "operation_id": "list_models",
    "summary": "List the names that can be asked for",
    "description": (
        "The chain (`auto`), the troubleshooting agent, every configured provider, and its "
        "models. With the header `anthropic-version`, in Anthropic's shape."
    ),
    "responses": {200: shown("The names.", "ModelList"), **_errors(500)},
}
"""How ``GET /v1/models`` is declared."""

MODEL: dict[str, Any] = {
    "operation_id": "retrieve_model",
    "summary": "Show one of these names",
    "description": "Also for the name of a model without its provider, where the chain has it.",
    "responses": {200: shown("The name.", "Model"), **_errors(404, 500)},
    "openapi_extra": {
        "parameters": [
            {
                "name": "model_id",
                "in": "path",
                "required": True,
                "description": "The name, its slashes included.",
                "schema": {"type": "string"},
                "example": "openai/gpt-4o",
            }
        ]
    },
}
"""How ``GET /v1/models/{model_id}`` is declared."""
