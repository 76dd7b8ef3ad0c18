"""A conversation, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said.

    Attributes:
        role: who said it.
        text: what was said, credentials masked.
        created_at: Unix time in seconds.
    """

    role: Literal["user", "assistant"]
    text: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation with its turns, oldest first.

    Attributes:
        session_id: the caller's name for it.
        created_at: Unix time in seconds.
        turns: what was said.
    """

    session_id: str
    created_at: float
    turns: tuple[Turn, ...] = ()
