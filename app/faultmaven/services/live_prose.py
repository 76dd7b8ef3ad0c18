"""One text of an answer while it arrives: clean, without blanks around it (pure)."""

from __future__ import annotations

from faultmaven.services.plain_stream import PlainStream


class LiveProse:
    """Gives a text in pieces as `Sanitizer.clean` and ``strip`` give the whole.

    Args:
        echo: another text; nothing is given for as long as this one may turn out to be the same,
            nor if it does.
    """

    def __init__(self, echo: str = "") -> None:
        self._echo = echo
        self._plain = PlainStream()
        self._waiting = ""
        self.begun = False

    def feed(self, piece: str, *, ended: bool = False) -> str:
        """What this piece adds; ``ended`` if it is the last."""
        self._waiting += self._plain.feed(piece) + (self._plain.end() if ended else "")
        if not self.begun:
            self._waiting = self._waiting.lstrip()
            if self._is_echo(ended=ended):
                return ""
        shown = self._waiting.rstrip()
        self._waiting = self._waiting[len(shown) :]
        self.begun |= bool(shown)
        return shown

    def _is_echo(self, *, ended: bool) -> bool:
        so_far = self._waiting.rstrip()
        return so_far == self._echo if ended else self._echo.startswith(so_far)
