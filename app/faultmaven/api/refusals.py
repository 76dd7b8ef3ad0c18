"""Why a request is refused before anything is asked on its behalf; part of the error tree."""

from __future__ import annotations

from faultmaven.errors import FaultMavenError, InvalidInputError
from faultmaven.models.faults import FieldFault

_MAX_FAULTS = 20  # a body can be wrong in a million places; a person mends a few at a time


class InvalidFieldsError(InvalidInputError):
    """Fields or headers of the request are wrong.

    Attributes:
        faults: what is wrong, field by field; the first ones if there are many.
    """

    def __init__(self, first: FieldFault, *further: FieldFault) -> None:
        more = f" (and {len(further)} more)" if further else ""
        super().__init__(f"{first.message}{more}", field=first.field, hint=first.fix)
        self.faults = (first, *further)[:_MAX_FAULTS]


class MalformedBodyError(InvalidFieldsError):
    """The body cannot be read as JSON at all."""

    status = 400
    slug = "malformed_body"
    title = "The body cannot be read"


class BodyTimeoutError(InvalidFieldsError):
    """The body did not arrive in time."""

    status = 408
    slug = "body_timeout"
    title = "The body did not arrive in time"


class BodyTooLargeError(InvalidFieldsError):
    """The body has more bytes than the service takes."""

    status = 413
    slug = "body_too_large"
    title = "The body is too large"


class UnsupportedMediaTypeError(InvalidFieldsError):
    """The body is, by its headers, something we do not read."""

    status = 415
    slug = "unsupported_media_type"
    title = "The body is not of a type this service reads"


class HostNotAllowedError(FaultMavenError):
    """The request is for a name that this service is not known by."""

    status = 421
    slug = "host_not_allowed"
    title = "Not a name of this service"

    def __init__(self) -> None:
        super().__init__(
            "The Host header does not name this service.",
            hint="Ask by localhost or 127.0.0.1, or have the operator add the name to "
            "ALLOWED_HOSTS.",
        )


class ClientGoneError(Exception):
    """The caller left before the answer was there; nobody is told."""
