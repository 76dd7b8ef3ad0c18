"""The operations of Anthropic's protocol, as the API's description has them."""

from __future__ import annotations

from typing import Any

from faultmaven.api.anthropic.answer import message
from faultmaven.api.anthropic.errors import OVERLOADED, error_body
from faultmaven.api.anthropic.request import ConversationRequest, MessagesRequest
from faultmaven.api.anthropic.stream import AnswerEvents
from faultmaven.api.body import TIMEOUT_HEADER
from faultmaven.api.errors import Failure, problem_of
from faultmaven.api.example_answer import ANSWER, QUESTION
from faultmaven.api.fingerprint import SINGLE_FLIGHT_PARAMETER
from faultmaven.api.openapi import by_example, schema_ref, shown
from faultmaven.api.refusals import (
    BodyTimeoutError,
    BodyTooLargeError,
    InvalidFieldsError,
    UnsupportedMediaTypeError,
)
from faultmaven.errors import (
    AllProvidersFailedError,
    ConfigurationError,
    ErrorClass,
    FaultMavenError,
)
from faultmaven.models.attempt import Attempt
from faultmaven.models.faults import FieldFault
from faultmaven.models.stream import Beginning, Delta
from faultmaven.services.model_directory import UnknownModelError

_ID = "msg_5f1c0d6e"

_REQUEST: dict[str, Any] = {
    "model": "auto",
    "max_tokens": 1024,
    "system": "Be brief.",
    "messages": [{"role": "user", "content": QUESTION}],
}

_COUNT: dict[str, Any] = {name: _REQUEST[name] for name in ("model", "system", "messages")}


def _failed(cause: ErrorClass, status_code: int | None) -> AllProvidersFailedError:
    """A failure with one cause."""
    attempt = Attempt(
        "openai", "gpt-4o", error_class=cause, detail=f"{cause}", status_code=status_code
    )
    return AllProvidersFailedError(
        f"All providers failed: openai: {cause}",
        attempts=[attempt],
        hint="Ask again in a few seconds, or configure a further provider.",
    )


_ERRORS: dict[int, tuple[str, FaultMavenError]] = {
    400: (
        "The request is wrong, or too long for every model",
        InvalidFieldsError(FieldFault("max_tokens", "is missing", "Add the field.")),
    ),
    404: (
        "Nobody here has the model",
        UnknownModelError(
            "names a model that does not exist here",
            field="model",
            hint="Choose from: auto, openai, openai/gpt-4o.",
        ),
    ),
    408: (
        "The body did not arrive in time",
        BodyTimeoutError(FieldFault("body", "did not arrive within 60 seconds", "Send it faster.")),
    ),
    413: (
        "The body is too large",
        BodyTooLargeError(
            FieldFault("body", "has more than 10,485,760 bytes", "Shorten the conversation.")
        ),
    ),
    415: (
        "The body is not JSON",
        UnsupportedMediaTypeError(
            FieldFault(
                "Content-Type",
                "must say application/json, in UTF-8",
                "Send the header Content-Type: application/json.",
            )
        ),
    ),
    429: ("Every provider limits the rate", _failed(ErrorClass.RATE_LIMITED, 429)),
    500: (
        "The service itself is at fault",
        ConfigurationError("Something went wrong inside the service."),
    ),
    503: ("No provider gave a usable answer", _failed(ErrorClass.AUTH, 401)),
    504: ("Every provider took too long", _failed(ErrorClass.TIMEOUT, None)),
    OVERLOADED: ("Every provider is overloaded", _failed(ErrorClass.OVERLOADED, 503)),
}


def _error_example(error: FaultMavenError) -> dict[str, Any]:
    problem = problem_of(error, request_id="req-8c1d3a52", instance=None)
    return error_body(Failure(problem, error=error))


def _stream_example() -> str:
    written = AnswerEvents(_ID, shows_thoughts=False)
    begun = written.begin(Beginning(ANSWER.provider, ANSWER.model))
    told = written.delta(Delta(text="The disk")) + written.delta(Delta(text=" is full."))
    return (begun + told + written.end(ANSWER)).decode()


EXAMPLES: dict[str, Any] = {
    "Message": message(ANSWER, message_id=_ID, shows_thoughts=False),
    "MessageStream": _stream_example(),
    "TokenCount": {"input_tokens": 26, "faultmaven": {"estimated": True}},
    **{f"MessageError{status}": _error_example(error) for status, (_, error) in _ERRORS.items()},
}
"""What the operations answer, by name."""

BODIES = (MessagesRequest, ConversationRequest)
"""What the operations read."""


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: shown(_ERRORS[status][0], f"MessageError{status}") for status in statuses}


def _read(body: type[ConversationRequest], example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema_ref(body), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


_TIMEOUT = {
    "name": TIMEOUT_HEADER,
    "in": "header",
    "description": "Seconds until you need the answer; an earlier deadline_ms wins.",
    "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
    "example": 30,
}
_HEADERS = [_TIMEOUT, SINGLE_FLIGHT_PARAMETER]

MESSAGES: dict[str, Any] = {
    "operation_id": "create_message",
    "summary": "Continue a conversation, in Anthropic's protocol",
    "description": (
        "For clients that speak to Claude: give them this service as base URL. Whoever of the "
        "chain answers, text, images, tools and streams look as Anthropic's do; headers tell who "
        "did. Keys and `anthropic-version` are not looked at. Blocks and tools that only "
        "Anthropic can read, such as `document` and `web_search`, are refused by name. Thoughts "
        "of other vendors, shown to who asks for `thinking`, have a signature beginning with "
        "`faultmaven:`. Arguments of a tool that are no JSON object stand under `INVALID_JSON`."
    ),
    "responses": {
        200: {
            "description": "The answer; with `stream`, as events.",
            "content": {
                "application/json": by_example("Message"),
                "text/event-stream": by_example("MessageStream"),
            },
        },
        **_errors(*_ERRORS),
    },
    "openapi_extra": {**_read(MessagesRequest, _REQUEST), "parameters": _HEADERS},
}
"""How ``POST /v1/messages`` is declared."""

COUNT_TOKENS: dict[str, Any] = {
    "operation_id": "count_message_tokens",
    "summary": "Estimate a conversation's tokens",
    "description": (
        "An estimate from the number of characters, rather too high than too low: whose "
        "tokenizer counts is not known before somebody answers. Costs nothing; asks nobody."
    ),
    "responses": {
        200: shown("The estimate.", "TokenCount"),
        **_errors(400, 408, 413, 415, 500),
    },
    "openapi_extra": _read(ConversationRequest, _COUNT),
}
"""How ``POST /v1/messages/count_tokens`` is declared."""
