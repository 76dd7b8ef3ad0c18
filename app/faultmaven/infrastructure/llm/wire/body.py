"""Bodies: our data to bytes, and a vendor's bytes to typed data with one way to fail."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire.types import WireResponse

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_MOST_TOKENS = 2**53  # beyond it a count is noise, and no float holds it


class Shape(BaseModel):
    """What we read of a vendor's JSON object; everything else in it is ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
        defer_build=True,
    )


S = TypeVar("S", bound=Shape)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return 0
    return round(min(value, _MOST_TOKENS))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _MOST_TOKENS and math.isfinite(value) else None


def _price(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


def _word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return value if isinstance(value, str) else f"{value:d}"[:20]


# Book-keeping must not cost us an answer: what is not of the expected type counts as absent.
Count = Annotated[int, BeforeValidator(_count)]
"""A number of tokens; 0 where the vendor wrote none, or nonsense."""
Number = Annotated[float | None, BeforeValidator(_number)]
"""A finite number, or ``None`` where the vendor wrote anything else."""
Price = Annotated[float | None, BeforeValidator(_price)]
"""A finite number from 0, or ``None`` where the vendor wrote anything else."""
Word = Annotated[str, BeforeValidator(_word)]
"""A short text or code; empty where the vendor wrote neither text nor a whole number."""


def write_json(payload: Mapping[str, Any]) -> bytes:
    """The payload as compact JSON in UTF-8; characters UTF-8 cannot carry become ``?``."""
    return _JSON.encode(payload).encode("utf-8", "replace")


def read(response: WireResponse, shape: type[S]) -> S:
    """Read the body as a JSON object of this shape.

    Raises:
        ProviderProtocolError: it is none; the message says in which way, without its content.
    """
    try:
        return shape.model_validate_json(response.body)
    except ValidationError as error:
        problem = describe_body(response.body) or _describe_shape(error)
    # Raised outside the handler: the validation error would keep the body alive in tracebacks.
    raise ProviderProtocolError(problem, status_code=response.status)


def describe_body(body: bytes) -> str | None:
    """Say why a body cannot be JSON at all, or ``None`` when its first bytes allow it."""
    head = body[:256].strip().lower()
    if not head and not body.strip():
        return "the answer is empty"
    if body.startswith(_BYTE_ORDER_MARK):
        return "the answer begins with a byte order mark"
    if head.startswith(b"<"):
        return "the answer is an HTML page"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "the answer is not UTF-8"
    return None


def _describe_shape(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return _describe_syntax(str(first.get("ctx", {}).get("error", "")))
    if not first["loc"]:
        return "the answer is JSON, but not an object"
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"the answer lacks '{where}'"
    return f"the answer has another shape than promised at '{where}'"


def _describe_syntax(parser_says: str) -> str:
    if "EOF" in parser_says:
        return "the answer is cut off: its JSON does not end"
    if "recursion" in parser_says:
        return "the answer is nested too deeply"
    return "the answer is not JSON"
