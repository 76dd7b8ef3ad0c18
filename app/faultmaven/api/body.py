"""From the bytes of a request to a checked body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from faultmaven.api.head import header
from faultmaven.api.refusals import (
    BodyTooLargeError,
    InvalidFieldsError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)
from faultmaven.models.faults import FieldFault, field_faults
from faultmaven.models.line_blocks import BLOCK
from faultmaven.services.large_texts import worked

TIMEOUT_HEADER = "X-Request-Timeout"
MAX_TIMEOUT_SECONDS = 3600

MOST_OBJECTS = 20_000
"""Objects that a body may hold: a long conversation with its tools has some 10,000.

Each becomes a checked object of its own. A million of them take minutes, text hardly any time.
"""
MOST_VALUES = 50_000
"""Values that a body may hold beside those within texts."""

_TIMEOUT = TIMEOUT_HEADER.lower().encode()
_ROOMY = 20_000  # bytes; a smaller body cannot hold too many of anything
_LONGEST_TYPE = 255  # characters; of longer ones parsing takes long, and none is remembered
_MOST_FAULTS = 1_000  # each costs some 15 microseconds to tell
_COMPARE = "Compare it with what GET /openapi.json says of it."
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii"})
_POSITION = re.compile(r"at line (\d+) column (\d+)")
_BODY = "body"
_NOT_JSON = FieldFault(
    "Content-Type",
    "must say application/json, in UTF-8",
    "Send the header Content-Type: application/json.",
)
_CROWDED = FieldFault(
    "body",
    f"holds more than {MOST_OBJECTS:,} objects, or {MOST_VALUES:,} values",
    "Send fewer messages, tools or inputs; send text as text, not as tokens.",
)
_COMPRESSED = FieldFault(
    "Content-Encoding", "must not be set", "Send the body as it is, not compressed."
)


Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request) -> bytes:
    """The body of a request as it was sent; to be called once.

    Raises:
        InvalidInputError: it is none of JSON by its headers, or longer or later than it may be.
        ClientDisconnect: the caller left before its end.
    """
    _require_json(request.scope)
    return await _all_of(request.receive)


async def checked(raw: bytes, kind: type[Body], *, needed: str) -> Body:
    """What a body says.

    Args:
        raw: the body.
        kind: what the body has to be. Tags of its unions that begin with ``#`` are left out of
            the paths of faults.
        needed: names of the fields that no body may miss, for who sends none at all.

    Raises:
        InvalidInputError: it is wrong; names field and fix, never the value.
        BodyTooLargeError: it holds more than anybody's conversation has.
    """
    if len(raw) <= _ROOMY:
        return _parse(raw, kind, needed)
    return await worked(len(raw), _checked, raw, kind, needed)


def timeout_header(request: Request) -> str | None:
    """What the caller's header says of the time there is, or ``None`` without one."""
    return header(request.scope, _TIMEOUT)


def timeout_of(text: str | None) -> float | None:
    """The seconds that such a header gives, or ``None`` without one.

    Raises:
        InvalidInputError: it is no number of seconds, or out of bounds.
    """
    return None if text is None else _seconds(text)


async def _all_of(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            return b"".join((*pieces, piece)) if pieces else piece
        pieces.append(piece)


def _require_json(scope: Scope) -> None:
    """Refuse other types, a missing one too: a web page can send those without asking first."""
    content_type = header(scope, b"content-type") or "text/plain"
    if len(content_type) > _LONGEST_TYPE or not _is_json(content_type):
        raise UnsupportedMediaTypeError(_NOT_JSON)
    if (header(scope, b"content-encoding") or "identity").lower() != "identity":
        raise UnsupportedMediaTypeError(_COMPRESSED)


@lru_cache(maxsize=64)
def _is_json(value: str) -> bool:
    """Whether a ``Content-Type`` means JSON in UTF-8; the same few are sent over and over."""
    content_type = Message()
    content_type["Content-Type"] = value
    charset = str(content_type.get_param("charset", "")).lower()
    return content_type.get_content_type().endswith(("/json", "+json")) and charset in _UTF8


def _checked(body: bytes, kind: type[Body], needed: str) -> Body:
    if _looks_crowded(body) and _is_crowded(body):
        raise BodyTooLargeError(_CROWDED)
    return _parse(body, kind, needed)


def _parse(body: bytes, kind: type[Body], needed: str) -> Body:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        count = error.error_count()
        few = count <= _MOST_FAULTS
        details = error.errors(include_input=False, include_url=False) if few else []
    # Outside of the handler, so that no traceback drags the input along.
    if not details:
        raise InvalidFieldsError(FieldFault(_BODY, f"is wrong in {count:,} places", _COMPARE))
    if details[0]["type"] == "json_invalid":
        raise MalformedBodyError(_why_no_json(str(details[0]["ctx"]["error"]), body, needed))
    raise InvalidFieldsError(*field_faults([_untagged(detail) for detail in details]))


def _looks_crowded(body: bytes) -> bool:
    """Whether there are too many braces or commas, those in texts included."""
    return body.count(b"{") > MOST_OBJECTS or body.count(b",") > MOST_VALUES


def _is_crowded(body: bytes) -> bool:
    """Whether there are too many between the texts; a log may hold braces of its own."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    objects = values = within = 0
    for at in range(0, len(unescaped), BLOCK):
        pieces = unescaped[at : at + BLOCK].split(b'"')
        between = b"".join(pieces[within::2])
        within = (within + len(pieces) - 1) % 2
        objects += between.count(b"{")
        values += between.count(b",")
        if objects > MOST_OBJECTS or values > MOST_VALUES:
            return True
    return False


def _untagged(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """The detail, its path without the tags of unions."""
    return {**detail, "loc": tuple(p for p in detail["loc"] if not str(p).startswith("#"))}


def _why_no_json(reason: str, body: bytes, needed: str) -> FieldFault:
    """What is wrong with a body that is not JSON, and what mends it."""
    if not body.strip():
        return FieldFault(_BODY, "is missing", f"Send a JSON object with {needed}.")
    if "recursion" in reason:
        return FieldFault(_BODY, "is nested too deeply", "Flatten it.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 from byte {error.start:,} on"
        return FieldFault(_BODY, message, "Send the text as UTF-8.")
    found = _POSITION.search(reason)
    where = f" at line {found[1]}, column {found[2]}" if found else ""
    return FieldFault(_BODY, f"is not valid JSON{where}", "Check quotes, commas and brackets.")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value <= MAX_TIMEOUT_SECONDS:
        return value
    message = f"must be a number of seconds above 0 and at most {MAX_TIMEOUT_SECONDS}"
    raise InvalidFieldsError(FieldFault(TIMEOUT_HEADER, message, "Send it as 30 or 2.5."))
