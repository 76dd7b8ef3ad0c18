"""Quotes, looked up in what the caller sent (pure)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from faultmaven.models.api import Evidence
from faultmaven.models.line_blocks import BLOCK, line_blocks

_LEAST_CHARS = 4  # shorter quotes stand everywhere
MOST_QUOTES = 20
_MOST_CHARS = 2_000
_ELLIPSIS = re.compile(r"\s*(?:\.{3,}|\u2026|\[\.{3}\])\s*")
# A placeholder has brackets, and a quote that has nothing of one stands in the original or nowhere.
_BRACKET = re.compile(r"[\[\]]")
_WRAPPING = "\"'`\u201c\u201d\u2018\u2019 \t\n"


@dataclass(frozen=True, slots=True)
class Source:
    """A text of the caller.

    Attributes:
        name: ``query``, ``context``, ``session`` or ``attachment:<name>``.
        text: as it was sent, without invisible characters.
        has_lines: whether a line number means something to the caller.
    """

    name: str
    text: str
    has_lines: bool = True


@dataclass(frozen=True, slots=True)
class _Joined:
    """Pieces with a space between them, and where each begins."""

    text: str
    starts: Sequence[int]

    def piece_at(self, place: int) -> tuple[int, int]:
        """The number of the piece at a place, and the place within it."""
        number = bisect_right(self.starts, place) - 1
        return number, place - self.starts[number]


def _joined(pieces: Iterable[str]) -> _Joined:
    parts = list(pieces)
    sizes = accumulate((len(part) + 1 for part in parts), initial=0)
    return _Joined(" ".join(parts), list(sizes)[:-1])


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of blocks that end at white space; a very long line is several of them."""
    for start, end in line_blocks(text):
        at = start
        while end - at > BLOCK:
            cut = text.rfind(" ", at, at + BLOCK) + 1
            cut = cut or text.find(" ", at + BLOCK, end) + 1 or end
            yield at, cut
            at = cut
        if at < end:
            yield at, end


class _Folded:
    """A text with its white space folded, block by block, and where its words stood.

    Words are the same before and after folding, so the number of the word at a place of a block
    gives the line without a map of every character.
    """

    def __init__(self, text: str) -> None:
        self._source = text
        self._blocks = [span for span in _blocks(text) if text[slice(*span)].strip()]
        self._folded = _joined(" ".join(text[slice(*span)].split()) for span in self._blocks)

    @property
    def line_count(self) -> int:
        """Number of lines."""
        return self._source.count("\n") + 1

    def line_of(self, quote: str) -> int | None:
        """Line, from 1, where the folded ``quote`` begins; as written first, then in any case."""
        place = _find(self._folded.text, quote)
        if place < 0:
            place = self._find_in_any_case(quote.lower())
        return None if place < 0 else self._line_at(place)

    def _find_in_any_case(self, quote: str) -> int:
        """Place of the word with which the quote begins; nothing as long as the text is kept."""
        text = self._folded.text
        for at in range(0, len(text), BLOCK):
            lowered = text[at : at + BLOCK + _MOST_CHARS].lower()
            found = _find(lowered, quote)
            if found >= 0:
                return _word_start(text, at, lowered.count(" ", 0, found))
        return -1

    def _line_at(self, place: int) -> int:
        number, within = self._folded.piece_at(place)
        words = self._folded.text.count(" ", place - within, place)
        start, end = self._blocks[number]
        lines = self._source[start:end].split("\n")
        until = accumulate(len(line.split()) for line in lines)
        before = next(n for n, count in enumerate(until) if count > words)
        return self._source.count("\n", 0, start) + before + 1


def _word_start(text: str, at: int, words: int) -> int:
    """Where so many words later begins: letters may be more in lower case, words are not."""
    for _ in range(words):
        at = text.index(" ", at) + 1
    return at


def _find(text: str, quote: str) -> int:
    """Place of the quote; one with an ellipsis is found if its parts stand in that order."""
    whole = text.find(quote)
    if whole >= 0:
        return whole
    parts = [part for part in _ELLIPSIS.split(quote) if part]
    if len(parts) == 1 and parts[0] == quote:
        return -1
    first, place = -1, 0
    for part in parts:
        found = text.find(part, place) if len(part) >= _LEAST_CHARS else -1
        if found < 0:
            return -1
        first = found if first < 0 else first
        place = found + len(part)
    return first


class _Readable:
    """A source as it was sent, and as a provider saw it with its secrets masked."""

    def __init__(self, source: Source, mask: Callable[[str], str]) -> None:
        self.source = source
        self._mask = mask

    @cached_property
    def _original(self) -> _Folded:
        return _Folded(self.source.text)

    @cached_property
    def _masked(self) -> _Folded | None:
        masked = self._mask(self.source.text)
        return None if masked == self.source.text else _Folded(masked)

    def find(self, quote: str) -> Evidence | None:
        """The quote as evidence, if it stands here."""
        line = self._original.line_of(quote)
        if line is None and _BRACKET.search(quote) and self._masked is not None:
            line = self._masked.line_of(quote)
            lines_moved = self._masked.line_count != self._original.line_count
            if line is not None and lines_moved:
                return self._evidence(quote, None)
        return None if line is None else self._evidence(quote, line)

    def _evidence(self, quote: str, line: int | None) -> Evidence:
        number = line if self.source.has_lines else None
        return Evidence(quote=quote, source=self.source.name, line=number, verified=True)


class Sources:
    """Everything the caller sent, searchable.

    Args:
        sources: in the order in which they are searched.
        mask: what providers may have seen instead of secrets.
    """

    def __init__(self, sources: Sequence[Source], *, mask: Callable[[str], str]) -> None:
        self._readable = tuple(_Readable(source, mask) for source in sources)

    def verify(self, quotes: Iterable[str]) -> tuple[Evidence, ...]:
        """Look each quote up, repeated and empty ones left out."""
        folded = (" ".join(quote[:_MOST_CHARS].strip(_WRAPPING).split()) for quote in quotes)
        distinct = list(dict.fromkeys(quote for quote in folded if quote))
        return tuple(self._verify(quote) for quote in distinct[:MOST_QUOTES])

    def _verify(self, quote: str) -> Evidence:
        for wanted in dict.fromkeys((quote, quote.rstrip(".,;: "))):
            if len(wanted) < _LEAST_CHARS:
                continue
            for readable in self._readable:
                found = readable.find(wanted)
                if found is not None:
                    return found
        return Evidence(quote=quote, source=None, line=None, verified=False)
