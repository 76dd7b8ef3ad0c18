"""Checks on single request fields that several vendors share."""

from collections.abc import Collection, Mapping
from typing import Any

from upstreams.dialects.problems import Problem, Refused


def only(body: Mapping[str, Any], known: Collection[str], *, message: str) -> None:
    """Refuse a top-level field the vendor does not know; `message` has a `{}` for its name.

    Raises:
        Refused: There is such a field.
    """
    for name in body:
        if name not in known:
            raise Refused(Problem.INVALID, message.format(name), name)


def number(body: Mapping[str, Any], name: str, *, low: float, high: float) -> None:
    """Check an optional number (null counts as absent).

    Raises:
        Refused: It is not a number, or out of range.
    """
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(Problem.INVALID, f"Invalid type for '{name}': expected a number.", name)
    if not low <= value <= high:
        raise Refused(Problem.INVALID, f"Invalid '{name}': expected {low} to {high}.", name)


def positive(body: Mapping[str, Any], name: str) -> None:
    """Check an optional whole number above zero (null counts as absent).

    Raises:
        Refused: It is anything else.
    """
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Refused(Problem.INVALID, f"Invalid '{name}': expected an integer >= 1.", name)


def flag(body: Mapping[str, Any], name: str) -> None:
    """Check an optional boolean.

    Raises:
        Refused: It is anything else.
    """
    if not isinstance(body.get(name, False), bool | None):
        raise Refused(Problem.INVALID, f"Invalid type for '{name}': expected a boolean.", name)


def text(body: Mapping[str, Any], name: str, *, message: str) -> str:
    """Read a required text that is not empty.

    Raises:
        Refused: It is missing, empty or no text.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(Problem.INVALID, message, name)
    return value


def items(body: Mapping[str, Any], name: str, *, message: str) -> list[Any]:
    """Read a required list that is not empty.

    Raises:
        Refused: It is missing, empty or no list.
    """
    value = body.get(name)
    if not isinstance(value, list) or not value:
        raise Refused(Problem.INVALID, message, name)
    return value


def stops(body: Mapping[str, Any], name: str, *, most: int) -> None:
    """Check optional stop sequences: a text or a list of texts that are not empty.

    Raises:
        Refused: They are anything else, or too many.
    """
    value = body.get(name)
    if value is None:
        return
    given = [value] if isinstance(value, str) else value
    fine = isinstance(given, list) and all(isinstance(item, str) and item for item in given)
    if not fine or len(given) > most:
        raise Refused(Problem.INVALID, f"Invalid '{name}': at most {most} texts.", name)


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Read an optional object; absent and null are an empty one.

    Raises:
        Refused: It is anything else.
    """
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(Problem.INVALID, f"Invalid type for '{name}': expected an object.", name)
    return value


def snake(name: str) -> str:
    """Write a name in camel case as Google's other spelling has it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
