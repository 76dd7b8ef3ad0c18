"""A text cleaned while it arrives (pure)."""

from __future__ import annotations

from faultmaven.models.plain_text import (
    strip_invisible,
    strip_terminal_codes,
    strip_unfit,
    unfinished_code,
)


class PlainStream:
    """Gives, of a text in pieces, what `Sanitizer.clean` leaves of the whole.

    The beginning of a terminal code is held back until it is known to be one.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What this piece adds."""
        if not self._held and piece.isascii() and piece.isprintable():  # as nearly all is
            return piece
        text = self._held + strip_invisible(piece)
        end = unfinished_code(text)
        self._held = text[end:]
        return _plain(text[:end])

    def end(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return _plain(held)


def _plain(text: str) -> str:
    return strip_unfit(strip_terminal_codes(text))
