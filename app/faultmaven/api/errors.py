"""The only place where errors meet HTTP.

Every one becomes ``application/problem+json``, but where a protocol of somebody else is spoken:
there it takes that protocol's shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from faultmaven.api.refusals import ClientGoneError, InvalidFieldsError
from faultmaven.errors import FaultMavenError, InvalidInputError, ProviderError
from faultmaven.infrastructure.observability.request import current_request
from faultmaven.models.api import AttemptBody, FieldFaultBody, ProblemBody
from faultmaven.models.attempt import Attempt
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.faults import FieldFault, field_faults

# The server drops the connection after an error nobody foresaw: clients must not use it again.
_LAST_WORDS = {"Connection": "close"}
MEDIA_TYPE = "application/problem+json"
CLIENT_GONE = 499  # as nginx logs a caller who did not wait; nobody receives it
REQUEST_ID_HEADER = "X-Request-ID"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way to a caller, before it takes a shape.

    Attributes:
        problem: what is told, credentials masked and nothing of the input in it.
        headers: what goes with it, such as ``Retry-After``.
        error: the error behind it, or ``None`` where the framework refused or nobody foresaw it.
    """

    problem: ProblemBody
    headers: Mapping[str, str] = field(default_factory=dict)
    error: FaultMavenError | None = None


ErrorShape = Callable[[Failure], Response]
"""Writes an error as one protocol has it."""


def install_error_handlers(app: FastAPI, shapes: Mapping[str, ErrorShape] | None = None) -> None:
    """Have every error of ``app`` answered.

    Args:
        app: the application.
        shapes: how errors are written below the first segments of the path; the most count,
            and elsewhere an error is a problem body.
    """
    app.state.error_shapes = dict(shapes or {})
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


def failure_of(
    error: FaultMavenError, *, instance: str | None = None, request_id: str | None = None
) -> Failure:
    """What a caller is told of an error; also of one that comes while a stream is open."""
    wait: float | None = getattr(error, "retry_after", None)
    return Failure(
        problem_of(error, request_id=request_id or _request_id(), instance=instance),
        headers={} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))},
        error=error,
    )


def noted_failure(
    error: FaultMavenError, *, instance: str | None = None, request_id: str | None = None
) -> Failure:
    """The same, left for the request's log line as well.

    Whoever handles the error had better not keep it: the error knows their frame.
    """
    failure = failure_of(error, instance=instance, request_id=request_id)
    note_failure(failure)
    return failure


async def refuse(error: FaultMavenError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with an error before it reaches the routes."""
    response = _answer(Request(scope), failure_of(error))
    await response(scope, receive, send)


def note_failure(failure: Failure) -> None:
    """Leave the failure for the request's log line; a caller's own mistakes need no detail."""
    request, problem = current_request(), failure.problem
    if request is not None:
        request.problem = problem.error_class
        request.detail = (
            problem.detail if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None
        )


def problem_of(error: FaultMavenError, *, request_id: str, instance: str | None) -> ProblemBody:
    """The body that tells a caller of an error."""
    attempts: tuple[Attempt, ...] = getattr(error, "attempts", ())
    return ProblemBody(
        type=_type(error.slug),
        title=error.title,
        status=error.status,
        detail=mask_credentials(_detail(error)),
        instance=instance,
        request_id=request_id,
        error_class=error.error_class if isinstance(error, ProviderError) else error.slug,
        attempts=[AttemptBody.of(attempt) for attempt in attempts],
        hint=None if error.hint is None else mask_credentials(error.hint),
        errors=[FieldFaultBody.of(fault) for fault in _faults(error)],
    )


async def _on_ours(request: Request, error: FaultMavenError) -> Response:
    return _answer(request, failure_of(error, instance=_instance(request)))


async def _on_validation(request: Request, error: RequestValidationError) -> Response:
    return await _on_ours(request, InvalidFieldsError(*field_faults(error.errors())))


async def _on_http(request: Request, error: HTTPException) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    detail, hint = _HTTP_WORDING.get(error.status_code, (phrase, None))
    slug = phrase.lower().replace(" ", "_")
    problem = ProblemBody(
        type=_type(slug),
        title=phrase,
        status=error.status_code,
        detail=detail,
        instance=_instance(request),
        request_id=_request_id(),
        error_class=slug,
        hint=hint,
    )
    return _answer(request, Failure(problem, error.headers or {}))


async def _on_gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)


async def _on_unexpected(request: Request, _error: Exception) -> Response:
    """Tell nothing about an error nobody foresaw; the server logs it with the request's id."""
    problem = ProblemBody(
        type=_type("internal"),
        title="Internal error",
        status=500,
        detail="Something went wrong inside the service.",
        instance=_instance(request),
        request_id=_request_id(),
        error_class="internal",
        hint="The service's log tells more under this request_id.",
    )
    return _answer(request, Failure(problem, _LAST_WORDS))


def _answer(request: Request, failure: Failure) -> Response:
    note_failure(failure)
    return shaped(request, failure)


def shaped(request: Request, failure: Failure) -> Response:
    """The failure as it is written where this request was sent."""
    return _shape_of(request)(failure)


def _shape_of(request: Request) -> ErrorShape:
    shapes: Mapping[str, ErrorShape] = request.app.state.error_shapes
    path = f"{request.url.path}/"
    fitting = [prefix for prefix in shapes if path.startswith(f"{prefix}/")]
    return shapes[max(fitting, key=len)] if fitting else _as_problem


def _as_problem(failure: Failure) -> Response:
    return Response(
        failure.problem.model_dump_json(),
        status_code=failure.problem.status,
        headers=dict(failure.headers),
        media_type=MEDIA_TYPE,
    )


def _detail(error: FaultMavenError) -> str:
    """What happened; a caller's mistake is worded to be read after the field's name."""
    return f"{error.field} {error}" if isinstance(error, InvalidInputError) else str(error)


def _faults(error: FaultMavenError) -> tuple[FieldFault, ...]:
    if isinstance(error, InvalidFieldsError):
        return error.faults
    if isinstance(error, InvalidInputError):
        return (FieldFault(error.field, str(error), error.hint or ""),)
    return ()


def _type(slug: str) -> str:
    return f"urn:faultmaven:problem:{slug}"


def _request_id() -> str:
    request = current_request()
    return request.request_id if request else ""


def _instance(request: Request) -> str | None:
    """The template of the path that was asked: never the path itself, which is input."""
    path: str | None = getattr(request.scope.get("route"), "path", None)
    return path


_HTTP_WORDING: Mapping[int, tuple[str, str | None]] = {
    401: (
        "The operator's key is missing or wrong.",
        "Send the header Authorization: Bearer, followed by ADMIN_API_KEY.",
    ),
    404: ("Nothing is served at this path.", "GET /docs lists the operations."),
    405: (
        "This path does not take this method.",
        "The Allow header names those it takes; GET /docs lists the operations.",
    ),
}

# Any: the framework's type for handlers does not know that each gets its own kind of error.
_HANDLERS: Mapping[type[Exception], Any] = {
    FaultMavenError: _on_ours,
    RequestValidationError: _on_validation,
    HTTPException: _on_http,
    ClientGoneError: _on_gone,
    ClientDisconnect: _on_gone,
    Exception: _on_unexpected,
}
