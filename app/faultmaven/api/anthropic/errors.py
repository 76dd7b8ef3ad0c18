"""Errors in Anthropic's shape, which its clients turn into their exceptions.

https://platform.claude.com/docs/en/api/errors; clients read ``type`` and ``message`` of the error
and retry by the status. What was tried stands beside it, for whoever looks.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any

from fastapi import Response

from faultmaven.api.errors import Failure
from faultmaven.errors import ChainError, ErrorClass, LowConfidenceError
from faultmaven.models.attempt import Attempt

OVERLOADED = 529
"""Anthropic's status for an upstream in trouble, which its clients know to ask again."""

_NEED_MENDING = frozenset(
    {
        ErrorClass.AUTH,
        ErrorClass.CONTENT_FILTER,
        ErrorClass.CONTEXT_LENGTH,
        ErrorClass.INVALID_REQUEST,
        ErrorClass.MODEL_NOT_FOUND,
        ErrorClass.QUOTA,
    }
)
_STATUS_BY_CAUSES: tuple[tuple[AbstractSet[ErrorClass], int], ...] = (
    ({ErrorClass.RATE_LIMITED}, HTTPStatus.TOO_MANY_REQUESTS),
    # Asking again is of no use then, which x-should-retry tells.
    ({ErrorClass.QUOTA}, HTTPStatus.TOO_MANY_REQUESTS),
    ({ErrorClass.MODEL_NOT_FOUND}, HTTPStatus.NOT_FOUND),
    ({ErrorClass.CONTENT_FILTER}, HTTPStatus.BAD_REQUEST),
    ({ErrorClass.TIMEOUT}, HTTPStatus.GATEWAY_TIMEOUT),
    ({ErrorClass.OVERLOADED, ErrorClass.RATE_LIMITED}, OVERLOADED),
)
_TYPES = {
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.REQUEST_TIMEOUT: "timeout_error",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
    HTTPStatus.GATEWAY_TIMEOUT: "timeout_error",
    OVERLOADED: "overloaded_error",
}
# In Anthropic's words: agents look for them to shorten a conversation.
_TOO_LONG = "prompt is too long. "
_MODEL_MAP = (
    " To serve a claude-… name by another provider's model, the operator names that in MODEL_MAP."
)


def as_anthropic_error(failure: Failure) -> Response:
    """The response that an Anthropic client understands."""
    headers = {**failure.headers, "request-id": failure.problem.request_id}
    if _is_hopeless(failure):
        headers["x-should-retry"] = "false"  # the clients obey it
    return Response(
        json.dumps(error_body(failure)),
        status_code=status_of(failure),
        headers=headers,
        media_type="application/json",
    )


def error_body(failure: Failure) -> dict[str, Any]:
    """The body, which is an event's as well."""
    problem = failure.problem
    return {
        "type": "error",
        "error": {"type": _type(status_of(failure)), "message": _message(failure)},
        "request_id": problem.request_id,
        "faultmaven": {
            "hint": problem.hint,
            "attempts": [attempt.model_dump(mode="json") for attempt in problem.attempts],
        },
    }


def error_event(failure: Failure) -> bytes:
    """The event that ends a stream without success."""
    return b"event: error\ndata: %b\n\n" % json.dumps(error_body(failure)).encode()


def status_of(failure: Failure) -> int:
    """The status an Anthropic client expects: wrong input is 400, and trouble is told apart."""
    status = failure.problem.status
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return HTTPStatus.BAD_REQUEST
    if status < HTTPStatus.INTERNAL_SERVER_ERROR or _causes(failure) is None:
        return status
    return next((known for causes, known in _STATUS_BY_CAUSES if _all_of(failure, causes)), status)


def _type(status: int) -> str:
    known = _TYPES.get(status)
    if known is not None:
        return known
    return "api_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _message(failure: Failure) -> str:
    """What happened and what mends it: most clients show the message alone."""
    problem = failure.problem
    hint = f"{problem.detail.rstrip('.')}. {problem.hint}" if problem.hint else problem.detail
    if _all_of(failure, {ErrorClass.CONTEXT_LENGTH}):
        return _TOO_LONG + hint
    return hint + _MODEL_MAP if problem.error_class == ErrorClass.MODEL_NOT_FOUND else hint


def _is_hopeless(failure: Failure) -> bool:
    """Whether asking again soon, as clients do after these statuses, would be of no use."""
    return isinstance(failure.error, LowConfidenceError) or _all_of(failure, _NEED_MENDING)


def _all_of(failure: Failure, classes: AbstractSet[ErrorClass]) -> bool:
    causes = _causes(failure)
    return causes is not None and causes <= classes


def _causes(failure: Failure) -> set[ErrorClass | None] | None:
    """The ways in which the attempts failed; ``None`` where nobody was asked."""
    error = failure.error
    attempts: tuple[Attempt, ...] = error.attempts if isinstance(error, ChainError) else ()
    return {attempt.error_class for attempt in attempts} or None
