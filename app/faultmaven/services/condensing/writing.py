"""What was chosen of a text, with notes about what was left out (pure).

The numbers of lines in the notes are those of the whole text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from faultmaven.services.condensing.choice import Choice
from faultmaven.services.condensing.records import Records


def written(choice: Choice, mask: Callable[[str], str]) -> str:
    """The records that were chosen, in their order.

    Args:
        choice: what is shown.
        mask: applied to a record before it is cut, since half a secret is not recognised later.
    """
    page = _Page(choice.analysis.records)
    kinds = choice.analysis.kinds
    for number in sorted(choice.shown):
        page.show(number, choice.shown[number], mask)
        kind = kinds.of_record[number]
        if kind in choice.told and kinds.first[kind] == number:
            page.note(choice.analysis.repetition(kind))
    page.skip_to(len(choice.analysis.records))
    return "".join(page.parts)


@dataclass(slots=True)
class _Page:
    """What has been written, and where in the text we are."""

    records: Records
    parts: list[str] = field(default_factory=list)
    _next: int = 0  # record
    _line: int = 1
    _within: bool = False  # a line of which some was shown

    def show(self, number: int, size: int, mask: Callable[[str], str]) -> None:
        """Write a record, or so many bytes of it."""
        self.skip_to(number)
        record = self.records[number]
        piece = _cut(record, size, mask)
        self.parts.append(piece)
        if piece == record:
            self._go_to(number + 1)
            return
        self._line += piece.count("\n")
        self._within = not piece.endswith("\n")
        self._next = -1

    def note(self, text: str) -> None:
        """Write a note, on a line of its own."""
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")
        self.parts.append(text)

    def skip_to(self, number: int) -> None:
        """Note what is left out before a record, if anything is."""
        if number != self._next:
            self.note(f"[... {', '.join(self._left_out(number))} left out ...]\n")
        self._go_to(number)

    def _go_to(self, number: int) -> None:
        self._next = number
        self._line = self.records.lines[number]
        self._within = not self._begins_line(number)

    def _left_out(self, number: int) -> Iterator[str]:
        """Lines from where we are up to a record, in words."""
        line, end = self._line, self.records.lines[number]
        within = not self._begins_line(number)
        if within and line == end:
            yield f"part of line {line}"
            return
        if self._within:
            yield f"rest of line {line}"
            line += 1
        if line == end - 1:
            yield f"line {line}"
        elif line < end:
            yield f"lines {line}-{end - 1}"
        if within:
            yield f"start of line {end}"

    def _begins_line(self, number: int) -> bool:
        return number == len(self.records) or self.records.begins_line(number)


def _cut(record: str, size: int, mask: Callable[[str], str]) -> str:
    """The first ``size`` bytes of a record, up to the end of a line if one is near."""
    raw = record.encode("utf-8", "replace")
    if len(raw) <= size:
        return record
    kept = mask(record).encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
    end = kept.rfind("\n") + 1
    return kept[:end] if end > len(kept) // 2 else kept
