"""Options that may change while the service runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

_Value = TypeVar("_Value")

Live: TypeAlias = _Value | Callable[[], _Value]
"""A value that stays, or a function that reads the present one, for every request anew."""


def now(value: Live[_Value]) -> _Value:
    """The value as it is at this moment."""
    return value() if callable(value) else value
