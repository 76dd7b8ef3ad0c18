"""The head of a request as it came, for those who want a single line of it."""

from __future__ import annotations

from typing import TypeAlias

from starlette.types import Scope

Line: TypeAlias = tuple[bytes, bytes]
"""A header's name, in lower case, and its value."""


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that name (in lower case), or ``None`` without one."""
    for known, value in scope["headers"]:
        if known == name:
            text: str = value.decode("latin-1")
            return text
    return None
