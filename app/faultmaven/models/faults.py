"""What is wrong with a request, field by field, without ever repeating what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

_Context = Mapping[str, Any]
_ROOT = "body"

_WORDING: dict[str, tuple[Callable[[_Context], str], str]] = {
    "missing": (lambda _: "is missing", "Add the field."),
    "extra_forbidden": (lambda _: "is not a field of this object", "Leave it out."),
    "json_invalid": (lambda _: "is not valid JSON", "Check quotes, commas and brackets."),
    "string_type": (lambda _: "must be a string", "Put the value in quotes."),
    "string_unicode": (lambda _: "is not valid Unicode", "Send the text as UTF-8."),
    "string_too_short": (
        lambda c: f"must have at least {c['min_length']} character(s)",
        "Fill the field in.",
    ),
    "string_too_long": (
        lambda c: f"must have at most {c['max_length']:,} characters",
        "Shorten it.",
    ),
    "too_long": (lambda c: f"must have at most {c['max_length']:,} entries", "Send fewer entries."),
    "too_short": (lambda c: f"must have at least {c['min_length']} entry", "Add an entry."),
    "int_type": (lambda _: "must be a whole number", "Send a number without quotes."),
    "int_from_float": (lambda _: "must be a whole number", "Leave the fraction out."),
    "float_type": (lambda _: "must be a number", "Send a number without quotes."),
    "finite_number": (lambda _: "must be a finite number", "Send an ordinary number."),
    "bool_type": (lambda _: "must be true or false", "Send true or false without quotes."),
    "dict_type": (lambda _: "must be an object", "Send {...}."),
    "list_type": (lambda _: "must be a list", "Send [...]."),
    "model_type": (lambda _: "must be an object", "Send {...}."),
    "model_attributes_type": (lambda _: "must be an object", "Send {...}."),
    "literal_error": (lambda c: f"must be one of {c['expected']}", "Use one of these."),
    "greater_than": (lambda c: f"must be above {c['gt']}", "Send a larger number."),
    "greater_than_equal": (lambda c: f"must be at least {c['ge']}", "Send a larger number."),
    "less_than": (lambda c: f"must be below {c['lt']}", "Send a smaller number."),
    "less_than_equal": (lambda c: f"must be at most {c['le']}", "Send a smaller number."),
}
_OTHER = (lambda _: "is not valid", "See the interactive documentation at /docs.")


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One fault of one field.

    Attributes:
        field: dotted path, such as ``attachments.0.content``; ``body`` for the whole.
        message: what is wrong, to be read after the field's name.
        fix: what mends it, one sentence.
    """

    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        """The fault as one sentence and its fix."""
        return f"{self.field} {self.message}. {self.fix}"


def fault(message: str, *, fix: str, field: str | None = None) -> PydanticCustomError:
    """An error for a validator to raise.

    Args:
        message: what is wrong, to be read after the field's name; never the value.
        fix: what mends it, one sentence.
        field: the field at fault, where the validator sees the whole object.
    """
    # Pydantic fills braces in templates; ours are finished sentences.
    return PydanticCustomError(
        "fault", "{message}", {"message": message, "fix": fix, "field": field or ""}
    )


def field_faults(errors: Sequence[Mapping[str, Any]]) -> tuple[FieldFault, ...]:
    """The faults behind Pydantic's or FastAPI's list of error details, in its order.

    Only path, kind and limits are used of each entry: its message and input may carry what
    the caller sent.
    """
    return tuple(_field_fault(error) for error in errors)


def _field_fault(error: Mapping[str, Any]) -> FieldFault:
    context = error.get("ctx") or {}
    kind = error["type"]
    if kind == "fault":
        path = _path(error["loc"], context["field"])
        return FieldFault(path, context["message"], context["fix"])
    wording, fix = _WORDING.get(kind, _OTHER)
    # A position in broken JSON is no field.
    path = _ROOT if kind == "json_invalid" else _path(error["loc"])
    return FieldFault(path, wording(context), fix)


def _path(location: Sequence[int | str], inner: str = "") -> str:
    parts = [str(part) for part in location]
    if parts[:1] == [_ROOT]:
        parts = parts[1:]
    if inner:
        parts.append(inner)
    return ".".join(parts) or _ROOT
