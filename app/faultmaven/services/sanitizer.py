"""Keeps what must not leave from leaving, and what nobody sees from being read."""

from __future__ import annotations

from faultmaven.models.credentials import mask_credentials
from faultmaven.models.plain_text import strip_invisible, strip_terminal_codes, strip_unfit


class Sanitizer:
    """The `ISanitizer` of this service: credentials by their shape, characters by their kind."""

    def mask(self, text: str) -> str:
        """Return ``text`` with every credential replaced by ``[kind removed]``; idempotent."""
        return mask_credentials(text)

    def clean(self, text: str) -> str:
        """Return ``text`` without terminal codes, controls, invisible and bidi characters.

        Tab and line breaks stay, so that line numbers mean what the caller sees. Idempotent.
        """
        # Removing what is invisible may join the halves of a terminal code, and the reverse.
        cleaned = strip_unfit(strip_terminal_codes(strip_invisible(text)))
        return cleaned if cleaned == text else self.clean(cleaned)
