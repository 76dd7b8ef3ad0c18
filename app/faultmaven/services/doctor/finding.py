"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingSeverity = Literal["ok", "skipped", "warning", "problem"]
"""``skipped`` was not looked at, because it is not configured or cannot be checked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: how it is; only a ``problem`` fails the examination.
        subject: a provider's name, or a part of the environment.
        message: what was found, one sentence; never a secret.
        fix: what to do about it, or ``None``.
    """

    severity: FindingSeverity
    subject: str
    message: str
    fix: str | None = None
