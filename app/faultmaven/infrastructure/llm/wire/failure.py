"""What a failed answer says, read from every vendor's way of writing it.

``error`` may be a text, an object, a list of either, or absent with its fields at the top;
``code`` may be a text, a whole number or null; the interesting word may stand in ``type``,
``code``, ``status``, ``error_type``, ``metadata`` or ``details``. All of it is read by one
shape, in which everything is optional and nothing is fatal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from faultmaven.infrastructure.llm.wire.body import Number, Shape, Word, describe_body
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.retry_after import retry_after, seconds, usable_wait
from faultmaven.infrastructure.llm.wire.types import WireResponse

_CLIENT_ERROR = 400
_ERROR_STATUS = re.compile(r"[45][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed answer in nobody's format.

    Attributes:
        status: HTTP status; for an error inside a 200 the status its body names, if it does.
        message: the vendor's text as it came, or our words for a body without any.
        words: the vendor's own codes in lower case, as they stood in the body.
        param: the request field the vendor objects to, or empty.
        relayed: what another vendor behind this one said, as it came; or its name; or empty.
        retry_after: seconds the vendor asked us to wait, or ``None``.
        readable: whether the body was JSON.
    """

    status: int
    message: str = ""
    words: tuple[str, ...] = ()
    param: str = ""
    relayed: str = ""
    retry_after: float | None = None
    readable: bool = False

    @property
    def explained(self) -> bool:
        """Whether the vendor itself says what is wrong, in an error object of any form."""
        words = any(not word.isdigit() for word in self.words)
        return self.readable and bool(self.message or self.param or words)


def _as_object(value: object) -> object:
    """A text as the message of an object; the first of a list; nothing for anything else."""
    if isinstance(value, list):
        return _as_object(value[0]) if value else {}
    if isinstance(value, str):
        return {"message": value}
    return value if isinstance(value, dict) else {}


def _path(value: object) -> str:
    """FastAPI's ``loc`` as a dotted path, without the part that says it is in the body."""
    parts = value if isinstance(value, list) else []
    return ".".join(part for part in parts if isinstance(part, str) and part != "body")


class _Violation(Shape):
    quota: Word = Field(default="", alias="quotaId")
    field: Word = ""


class _Detail(Shape):
    """One of Google's details, Anthropic's, or a validation message of FastAPI."""

    reason: Word = ""
    error_code: Word = ""
    retry_delay: Word = Field(default="", alias="retryDelay")
    violations: LenientObjects[_Violation] = ()
    field_violations: LenientObjects[_Violation] = Field(default=(), alias="fieldViolations")


class _Metadata(Shape):
    """What OpenRouter adds; a prompt it quotes as flagged is not looked at, only that it does."""

    code: Word = ""
    raw: Word = ""
    provider_name: Word = ""
    flagged_input: Word = ""
    error_type: Word = ""
    retry_after: Number = None


class ErrorObject(Shape):
    """One error, wherever it stands in a body; also inside a choice of a 200."""

    message: Word = ""
    msg: Word = ""
    type: Word = ""
    code: Word = ""
    status: Word = ""
    param: Word = ""
    location: Annotated[str, BeforeValidator(_path)] = Field(default="", alias="loc")
    error_type: Word = ""
    details: LenientObjects[_Detail] = ()
    metadata: LenientObject[_Metadata] = _Metadata()
    availability: LenientObject[_Metadata] = _Metadata()

    @model_validator(mode="before")
    @classmethod
    def _lenient(cls, value: object) -> object:
        return _as_object(value)


ErrorField = Annotated[ErrorObject | None, BeforeValidator(lambda value: value or None)]
"""A field that holds an error; ``null``, ``false`` and the like mean that there is none."""


class _Body(ErrorObject):
    error: ErrorField = None
    detail: ErrorField = None
    estimated_time: Number = None


def read_failure(response: WireResponse) -> Failure:
    """Read a failed answer; never raises."""
    body = _read_body(response.body)
    if body is None:
        return Failure(
            status=response.status,
            message=_unreadable(response.body),
            retry_after=retry_after(response.headers),
        )
    return _failure(body.error or body.detail or body, response, outer=body)


def failure_inside(error: ErrorObject, response: WireResponse) -> Failure:
    """Read an error object that stands inside an otherwise good answer."""
    return _failure(error, response, outer=error)


def _read_body(body: bytes) -> _Body | None:
    try:
        return _Body.model_validate_json(body)
    except ValidationError:
        return None


def _failure(error: ErrorObject, response: WireResponse, *, outer: ErrorObject) -> Failure:
    waits = (retry_after(response.headers), *map(usable_wait, (*_waits(error), *_waits(outer))))
    return Failure(
        status=_status(error, response),
        message=error.message or error.msg or outer.message,
        words=tuple(word.lower() for word in (*_words(error), *_words(outer)) if word),
        param=error.param or error.location or next(_fields(error), ""),
        relayed=error.metadata.raw or error.metadata.provider_name,
        retry_after=next((wait for wait in waits if wait is not None), None),
        readable=True,
    )


def _status(error: ErrorObject, response: WireResponse) -> int:
    """The HTTP status, unless that says success and the error knows better (OpenRouter)."""
    told = _ERROR_STATUS.fullmatch(error.code)
    return int(error.code) if told and response.status < _CLIENT_ERROR else response.status


def _words(error: ErrorObject) -> Iterator[str]:
    yield from (error.code, error.type, error.status, error.error_type)
    yield from (error.metadata.error_type, error.availability.code)
    if error.metadata.flagged_input:
        yield "moderation_blocked"
    for detail in error.details:
        yield from (detail.reason, detail.error_code)
        yield from (violation.quota for violation in detail.violations)


def _fields(error: ErrorObject) -> Iterator[str]:
    for detail in error.details:
        yield from (violation.field for violation in detail.field_violations)


def _waits(error: ErrorObject) -> Iterator[float | None]:
    yield from (seconds(detail.retry_delay) for detail in error.details)
    yield from (error.metadata.retry_after, error.availability.retry_after)
    if isinstance(error, _Body):
        yield error.estimated_time


def _unreadable(body: bytes) -> str:
    """Our words for a body that is no JSON; plain text is passed on."""
    if body.lstrip().startswith((b"{", b"[")):
        return "the answer is broken JSON"  # it may hold anything, a prompt for example
    return describe_body(body) or body.decode("utf-8")
