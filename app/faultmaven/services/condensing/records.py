"""A text, cut into what belongs together: a line, and the lines that continue it (pure)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 4_000
"""Most characters of a record; a longer line is several of them."""

_MOST = 100_000  # records of one text, so that memory is bounded whatever the text
_CONTINUES = frozenset(" \t\r\n})]")  # first character of a line that continues the one before
_STAMPED = frozenset("0123456789[{<")  # first characters of lines with a time or a level
_SAMPLE = 200_000  # characters by which it is told whether the lines of a text are stamped
_MOSTLY = 0.7  # share of a sample's lines


@dataclass(frozen=True, slots=True)
class Records:
    """A text and where its records begin.

    Attributes:
        text: the text.
        starts: where each record begins, and the end of the text.
        lines: the line, from 1, in which each record begins, and the last line's number plus one.
    """

    text: str
    starts: array[int]
    lines: array[int]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> str:
        """The text of a record, its line break at the end included."""
        return self.text[self.starts[number] : self.starts[number + 1]]

    def begins_line(self, number: int) -> bool:
        """Whether a record, or the end of the text, is no later part of a long line."""
        start = self.starts[number]
        return start in {0, len(self.text)} or self.text[start - 1] == "\n"


def records_of(text: str) -> Records:
    """Cut a text.

    A stack trace stays with the line above it. Of very many very short lines some are taken
    together.
    """
    starts, lines = array("I"), array("I")
    start, line = 0, 1
    for end in _ends(text):
        starts.append(start)
        lines.append(line)
        line += text.count("\n", start, end)
        start = end
    starts.append(len(text))
    lines.append(line + (not text.endswith("\n")))
    return Records(text, starts, lines)


def long_lines(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each line that is longer than a record, its line break not included."""
    start, size = 0, len(text)
    while size - start > LONGEST:
        end = text.rfind("\n", start, start + LONGEST) + 1
        if not end:
            end = text.find("\n", start + LONGEST) + 1 or size + 1
            yield start, end - 1
        start = end


def _ends(text: str) -> Iterator[int]:
    """Where each record ends; a loop without calls of ours, since it sees every line."""
    find, size, stamped = text.find, len(text), _is_stamped(text)
    least = size // _MOST if text.count("\n") > _MOST else 0
    end = 0
    while end < size:
        start, last = end, min(end + LONGEST, size)
        end = find("\n", start + least, last) + 1 or text.rfind("\n", start, last) + 1 or last
        while end < last and (text[end] not in _STAMPED if stamped else text[end] in _CONTINUES):
            further = find("\n", end + least, last) + 1
            if not further and last < size:
                break
            end = further or last
        yield end


def _is_stamped(text: str) -> bool:
    """Whether most lines begin with a time or the like, so that one without continues another."""
    lines = text[:_SAMPLE].split("\n")
    return sum(line[:1] in _STAMPED for line in lines if line) > _MOSTLY * len(lines)
