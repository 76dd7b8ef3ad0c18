"""Errors in OpenAI's shape, which its clients turn into their exceptions.

https://platform.openai.com/docs/guides/error-codes; the clients read ``message``, ``type``,
``param`` and ``code``, and leave the rest to whoever looks: there it says what was tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Response

from faultmaven.api.errors import Failure
from faultmaven.errors import ChainError, ErrorClass, InvalidInputError, LowConfidenceError
from faultmaven.models.attempt import Attempt

_HOPELESS = frozenset(
    {
        ErrorClass.AUTH,
        ErrorClass.CONTENT_FILTER,
        ErrorClass.CONTEXT_LENGTH,
        ErrorClass.INVALID_REQUEST,
        ErrorClass.MODEL_NOT_FOUND,
        ErrorClass.QUOTA,
    }
)
"""Failures that asking again soon does not mend."""

_REFUSED = "invalid_request_error"
_BY_CAUSE: Mapping[ErrorClass, tuple[int, str, str]] = {
    ErrorClass.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    ErrorClass.QUOTA: (429, "insufficient_quota", "insufficient_quota"),
    ErrorClass.MODEL_NOT_FOUND: (404, _REFUSED, "model_not_found"),
    ErrorClass.CONTENT_FILTER: (400, _REFUSED, "content_filter"),
}
"""Status, type and code where every attempt failed in this one way, as OpenAI itself has them.

A refused key is not among them: it is the operator's, not the caller's.
"""

_RETRIED = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, 429})


def as_openai_error(failure: Failure) -> Response:
    """The response that an OpenAI client understands."""
    status = status_of(failure)
    return Response(
        json.dumps(error_body(failure)),
        status_code=status,
        headers={**failure.headers, **_retry_advice(failure, status)},
        media_type="application/json",
    )


def error_body(failure: Failure) -> dict[str, Any]:
    """The body, which is an event's as well."""
    status = status_of(failure)
    problem = failure.problem
    return {
        "error": {
            "message": _message(failure, status),
            "type": _type(failure, status),
            "param": _param(failure),
            "code": _code(failure, status),
            "faultmaven": {
                "request_id": problem.request_id,
                "hint": problem.hint,
                "attempts": [attempt.model_dump(mode="json") for attempt in problem.attempts],
            },
        }
    }


def status_of(failure: Failure) -> int:
    """The status an OpenAI client expects: wrong input is 400, and one cause has its own."""
    if failure.problem.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return HTTPStatus.BAD_REQUEST
    known = _known(failure)
    return known[0] if known else failure.problem.status


def _known(failure: Failure) -> tuple[int, str, str] | None:
    """Status, type and code of what every attempt failed of; ``None`` for several causes."""
    if isinstance(failure.error, LowConfidenceError):
        return None
    return next((words for cause, words in _BY_CAUSE.items() if _all_of(failure, {cause})), None)


def _message(failure: Failure, status: int) -> str:
    """What happened, and to whom can mend it, how."""
    problem = failure.problem
    if problem.hint is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem.detail
    return f"{problem.detail.rstrip('.')}. {problem.hint}"


def _type(failure: Failure, status: int) -> str:
    known = _known(failure)
    if known:
        return known[1]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "server_error"
    return _REFUSED


def _param(failure: Failure) -> str | None:
    """The field at fault; headers and the body as a whole are no parameters."""
    error = failure.error
    field = error.field if isinstance(error, InvalidInputError) else None
    return None if field == "body" else field


def _code(failure: Failure, status: int) -> str | None:
    known = _known(failure)
    if known:
        return known[2]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_exceeded"
    if _all_of(failure, {ErrorClass.CONTEXT_LENGTH}):
        return "context_length_exceeded"
    return failure.problem.error_class


def _retry_advice(failure: Failure, status: int) -> Mapping[str, str]:
    """What keeps clients from asking again where that is of no use; they obey it.

    https://github.com/openai/openai-python: ``_should_retry`` reads ``x-should-retry``.
    """
    retried = status in _RETRIED or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    useless = isinstance(failure.error, LowConfidenceError) or _all_of(failure, _HOPELESS)
    return {"x-should-retry": "false"} if retried and useless else {}


def _all_of(failure: Failure, classes: frozenset[ErrorClass] | set[ErrorClass]) -> bool:
    """Whether something was tried, and every attempt failed in one of these ways."""
    error = failure.error
    attempts: tuple[Attempt, ...] = error.attempts if isinstance(error, ChainError) else ()
    return bool(attempts) and all(attempt.error_class in classes for attempt in attempts)
