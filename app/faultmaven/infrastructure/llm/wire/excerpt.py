"""What of a vendor's text may be shown: short, on one line, without credentials."""

from __future__ import annotations

from faultmaven.models.credentials import mask_credentials

MAX_CHARS = 200
"""Most characters of an excerpt."""

_READ_CHARS = 4000  # enough for a credential that begins within the excerpt to be seen whole


def excerpt(text: str, *, most: int = MAX_CHARS) -> str:
    """The beginning of ``text``, fit for a log line or an error: at most ``most`` characters."""
    line = " ".join(_printable(mask_credentials(text[:_READ_CHARS])).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
