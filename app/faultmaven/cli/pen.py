"""Markdown for a terminal, while it comes: headings, emphasis and code as styles (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_GRAVE = frozenset({"high", "critical", "destructive"})
_PLAIN = re.compile(r"[^\n*`]+")
_HEADING = re.compile(r"#{1,6} ")
_HEADING_BEGUN = re.compile(r"#{1,6}\Z")
_TICKS = re.compile(r"`+")
_FENCE = 3  # ticks
# Emphasis waits until it is closed, for the sake of its colour; what is longer is none.
_BOLD = re.compile(r"\*\*([^*`\n]{1,60})\*\*")
_BOLD_BEGUN = re.compile(r"\*\*?(?:[^*`\n]{1,60}\*?)?\Z")

Fragment = tuple[str, str]
"""A text, and the style it is shown in."""


class MarkdownPen:
    """Turns pieces of Markdown into fragments; a mark cut across pieces is a mark."""

    def __init__(self) -> None:
        self._held = ""
        self._at_line_start = True
        self._heading = self._code = self._fenced = False

    def write(self, piece: str) -> Iterator[Fragment]:
        """What can be shown now."""
        self._held += piece
        while self._held and not self._waits():
            yield self._fragment()

    def end(self) -> Iterator[Fragment]:
        """What was held back, and the end of the last line."""
        yield from self.write("\n")

    @property
    def _style(self) -> str:
        if self._code or self._fenced:
            return "cyan"
        return "bold" if self._heading else ""

    def _waits(self) -> bool:
        """Whether what comes first may be a mark of which more is to come."""
        if self._at_line_start and not self._fenced and _HEADING_BEGUN.match(self._held):
            return True
        ticks = _TICKS.match(self._held)
        if ticks is not None:
            return ticks.end() == len(self._held)
        stars = not (self._code or self._fenced) and _BOLD_BEGUN.match(self._held)
        return bool(stars)

    def _fragment(self) -> Fragment:
        """Take what comes first."""
        if self._at_line_start:
            self._begin_line()
            return "", ""  # what follows the heading's mark may have to wait
        first = self._held[:1]
        if first == "\n":
            return self._line_break()
        if first == "`":
            return self._ticks()
        if first == "*":
            return self._stars()
        return self._taken(len(plain[0]) if (plain := _PLAIN.match(self._held)) else 0), self._style

    def _begin_line(self) -> None:
        self._at_line_start = False
        heading = None if self._fenced else _HEADING.match(self._held)
        self._heading = heading is not None
        if heading is not None:
            self._taken(heading.end())

    def _line_break(self) -> Fragment:
        self._at_line_start, self._heading, self._code = True, False, False
        return self._taken(1), ""

    def _ticks(self) -> Fragment:
        count = len(self._held) - len(self._held.lstrip("`"))
        ticks = self._taken(count)
        if count >= _FENCE:
            self._fenced = not self._fenced
            return ticks, "dim"
        if self._fenced:
            return ticks, self._style
        self._code = not self._code
        return "", ""

    def _stars(self) -> Fragment:
        bold = None if self._code or self._fenced else _BOLD.match(self._held)
        if bold is None:
            return self._taken(1), self._style
        self._taken(bold.end())
        return bold[1], "bold red" if bold[1] in _GRAVE else "bold"

    def _taken(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken
