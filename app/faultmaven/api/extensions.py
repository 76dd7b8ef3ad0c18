"""What this gateway understands beside the fields of the protocols it speaks."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic import model_validator as checked

from faultmaven.api.body import timeout_of
from faultmaven.models.faults import fault
from faultmaven.models.request import MAX_UNKNOWN_FIELDS, ProviderName

_LONGEST_NAME = 256  # characters


def is_model_name(text: str) -> bool:
    """Whether a text can be the name of a model."""
    visible = text.isascii() and text.isprintable() and " " not in text
    return visible and 0 < len(text) <= _LONGEST_NAME


def _model_name(text: str) -> str:
    if not is_model_name(text):
        raise fault("is not a model's name", fix="GET /v1/models lists those that exist.")
    return text


ModelName = Annotated[str, AfterValidator(_model_name)]
"""A model as callers name it: up to 256 visible ASCII characters, fit for a header."""


def written(value: Any, *, field: str | None = None) -> str:
    """The value as JSON text.

    Args:
        value: what was read of JSON.
        field: its name, where the validator sees the whole object.

    Raises:
        PydanticCustomError: it holds a number that JSON does not have.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        pass  # outside of the handler, so that no traceback drags the input along
    raise fault("holds NaN or Infinity", fix="Send ordinary numbers.", field=field)


def require_finite(value: Any) -> Any:
    """The value, unless it holds a number that JSON does not have.

    Raises:
        PydanticCustomError: it does.
    """
    written(value)
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(require_finite)]
"""An object that can be written as JSON again."""


def require_base64(text: str, *, field: str | None = None) -> None:
    """Refuse a picture that no vendor could read.

    Raises:
        PydanticCustomError: the text is empty, or not standard base64.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        fix = "Encode the image's bytes as standard base64."
        raise fault("holds no valid base64", fix=fix, field=field)


class Timed(BaseModel):
    """A body of another protocol whose caller may say when the answer is needed.

    Fields that are neither the protocol's nor ours are kept as `unknown`.
    """

    model_config = ConfigDict(strict=True, extra="allow", defer_build=True)

    deadline_ms: Annotated[int, Field(ge=1, le=3_600_000)] | None = Field(
        default=None, description="FaultMaven: milliseconds until you need the answer."
    )

    @checked(mode="after")
    def _can_be_passed_on(self) -> Timed:
        unknown = self.model_extra
        if unknown:
            _require_few(unknown)
            for name, value in unknown.items():
                written(value, field=name)
        return self

    def timeout(self, header: str | None) -> float | None:
        """Seconds that body and header give, the fewer of both, or ``None``.

        Raises:
            InvalidInputError: the header is no number of seconds, or out of bounds.
        """
        seconds = timeout_of(header)
        if self.deadline_ms is None:
            return seconds
        most = self.deadline_ms / 1000
        return most if seconds is None else min(most, seconds)

    @property
    def unknown(self) -> dict[str, Any]:
        """What was sent and is neither the protocol's nor ours."""
        return dict(self.model_extra or {})


class Extended(Timed):
    """A body that asks for an answer, with all of this gateway's own fields."""

    confidence_threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None,
        description="FaultMaven: the first answer at least this sure wins; without it, any.",
    )
    require_confidence: bool | None = Field(
        default=None, description="FaultMaven: fail with 503 rather than answer below that."
    )
    max_cost_usd: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] | None = Field(
        default=None, description="FaultMaven: ask no further provider once this much is spent."
    )
    providers: Annotated[list[ProviderName], Field(max_length=20)] | None = Field(
        default=None, description="FaultMaven: ask these providers only, in this order."
    )


def _require_few(unknown: Collection[str]) -> None:
    """Refuse a flood of fields that nobody knows."""
    if len(unknown) > MAX_UNKNOWN_FIELDS:
        raise fault(
            f"holds more than {MAX_UNKNOWN_FIELDS} fields that this service does not know",
            fix="Leave them out.",
            field="body",
        )
