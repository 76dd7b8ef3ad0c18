"""Texts, cut to what a model's window holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from faultmaven.models.credentials import secrets_of_several_lines
from faultmaven.services.condensing.analysis import Analysis, analyse
from faultmaven.services.condensing.choice import choose
from faultmaven.services.condensing.records import long_lines
from faultmaven.services.condensing.writing import written

_LEAST = 600  # bytes; in fewer there is no room to choose
_MARGIN = 40_000  # characters that are masked behind those that may be shown
_CHOICES = 3  # of a text that masking lengthens, before what does not fit is cut off


class Condenser:
    """Cuts the texts of one question for whoever is asked it.

    What there is to know of a text is found out when it has to be cut for the first time, once;
    a provider with another window is given another choice of it. May be used by several threads.

    Args:
        mask: replaces secrets; applied to what is cut before it is cut.

    Attributes:
        mask: the same.
    """

    def __init__(self, mask: Callable[[str], str]) -> None:
        self.mask = mask
        self._analyses: dict[str, Analysis] = {}
        self._masked: dict[str, int] = {}
        self._lock = Lock()

    def fitted(self, text: str, limit: int) -> str:
        """At most ``limit`` bytes of UTF-8 of a text, masked or not; the text itself if it fits.

        Masking lengthens a text that holds short secrets, and most targets get it masked.
        """
        if self.size(text, limit) <= limit:
            return text
        if limit < _LEAST:
            return self._beginning(text, limit)
        return self._chosen(self._analysis(text), limit)

    def size(self, text: str, enough: int) -> int:
        """Bytes of a text as it is, or masked if those are more.

        Only as it is where those are more than ``enough``: masking them would tell nothing new.
        """
        plain = size_of(text)
        if plain > enough:
            return plain
        with self._lock:
            if text not in self._masked:
                self._masked[text] = size_of(self.mask(text))
            return max(plain, self._masked[text])

    def _chosen(self, analysis: Analysis, limit: int) -> str:
        """What tells most; chosen again with less room as long as its masked text is too long."""
        room, heading = limit, analysis.heading
        for _ in range(_CHOICES):
            shown = heading + written(choose(analysis, room - len(heading)), self.mask)
            size = self.size(shown, limit)
            if size <= limit:
                return shown
            room = max(room * limit // size, _LEAST)
        return self._cut(self.mask(shown), limit)

    def _analysis(self, text: str) -> Analysis:
        with self._lock:
            if text not in self._analyses:
                self._analyses[text] = analyse(self._prepared(text))
            return self._analyses[text]

    def _beginning(self, text: str, limit: int) -> str:
        end = text.find("\n", limit + _MARGIN)
        return self._cut(self.mask(text if end < 0 else text[:end]), limit)

    def _cut(self, masked: str, limit: int) -> str:
        """The beginning of a masked text; a placeholder that is cut may grow when masked again."""
        raw, size = masked.encode("utf-8", "replace"), limit
        while size > 0:
            kept = raw[:size].decode("utf-8", "ignore")
            over = size_of(self.mask(kept)) - limit
            if over <= 0:
                return kept
            size -= over
        return ""

    def _prepared(self, text: str) -> str:
        """The text, masked where a cut could go through a secret; its lines stay where they are.

        A secret of several lines becomes one line and empty ones. All else that is masked stands
        in a line, and a line that is not longer than a record is never cut unmasked.
        """
        parts: list[str] = []
        position = 0
        for start, end in _indivisible(text):
            masked = self.mask(text[start:end])
            if masked == text[start:end]:
                continue
            lost = text.count("\n", start, end) - masked.count("\n")
            parts += (text[position:start], masked, "\n" * lost)
            position = end
        return "".join((*parts, text[position:])) if parts else text


def _indivisible(text: str) -> Iterator[tuple[int, int]]:
    """Whole lines, begin and end, in which a cut may go through a secret."""
    begin = finish = 0
    for start, end in sorted((*secrets_of_several_lines(text), *long_lines(text))):
        if end <= finish:
            continue
        if start >= finish:
            if finish:
                yield begin, finish
            begin = text.rfind("\n", finish, start) + 1 or finish
        found = text.find("\n", end)
        finish = len(text) if found < 0 else found
    if finish:
        yield begin, finish


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
