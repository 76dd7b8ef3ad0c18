"""Fields that may hold anything: read where they have the expected form, else as if absent."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

T = TypeVar("T")


def _object(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


LenientObject = Annotated[T, BeforeValidator(_object)]
"""An object whose fields all have defaults; anything else is read as an empty one."""
LenientObjects = Annotated[tuple[T, ...], BeforeValidator(_objects)]
"""The objects of a list; an object alone is a list of one, anything else an empty list."""
