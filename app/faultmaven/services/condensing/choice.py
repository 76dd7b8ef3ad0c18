"""Which records of a text are shown where there is not room for all (pure).

First a little of its beginning and its end, then trouble, the gravest first: each kind once; then
where each was last, and what stands around it; then every other kind once; what room is left is
for the end of the text. The first that does not fit ends it: nothing is shown in the place of
something that matters more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from faultmaven.services.condensing.analysis import Analysis

_HEAD, _TAIL = 0.08, 0.14  # shares of the room
_LARGEST = 0.25  # share of the room that one record may have
_NEAR, _AROUND = 2, 10  # records on either side of trouble
_OFTEN = 3  # times from which a repetition is told
_NOTE = 28  # bytes of the note about lines left out, but for its two numbers
_PART = 17  # bytes that it has more of for part of a line, but for its number

T = TypeVar("T")


def choose(analysis: Analysis, room: int) -> Choice:
    """What is shown in ``room`` bytes."""
    choice = Choice(analysis, room)
    choice.show_edges()
    choice.show_what_matters()
    return choice


@dataclass(slots=True)
class Choice:
    """What is shown, and what room is left.

    Attributes:
        analysis: of the whole text.
        room: bytes of UTF-8 that are left for what is shown, notes included.
        shown: the records, with the bytes that each may have.
        told: kinds whose repetition is told behind their first record.
    """

    analysis: Analysis
    room: int
    shown: dict[int, int] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    _note: int = field(init=False)
    _part: int = field(init=False)
    _largest: int = field(init=False)
    _ascii: bool = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is shown yet; what is left out behind the last record has its note already."""
        digits = len(str(self.analysis.records.lines[-1]))
        self._note, self._part = _NOTE + 2 * digits, _PART + digits
        self._largest = int(self.room * _LARGEST)
        self._ascii = self.analysis.records.text.isascii()
        self.room -= self._note + self._part

    def show_edges(self) -> None:
        """A little of the beginning and the end."""
        count = len(self.analysis.records)
        head, tail = int(self.room * _HEAD), int(self.room * _TAIL)
        self._show_within(range(count), head)
        self._show_within(range(count - 1, -1, -1), tail)

    def show_what_matters(self) -> None:
        """All else, as long as it fits."""
        kinds, count = self.analysis.kinds, len(self.analysis.records)
        if not _as_long_as(self._show_kind, kinds.troubled):
            return
        if not _as_long_as(self._show, self._around_trouble()):
            return
        if _as_long_as(self._show_kind, kinds.quiet):
            _as_long_as(self._show, range(count - 1, -1, -1))

    def _show_within(self, numbers: Iterable[int], share: int) -> None:
        """Show the first of these records anyhow, and further ones within the share."""
        for number in numbers:
            share -= self._size(number)
            if not self._show(number) or share <= 0:
                return

    def _around_trouble(self) -> Iterator[int]:
        """Where each kind was last, and its neighbours; of those far off what came before."""
        kinds, count = self.analysis.kinds, len(self.analysis.records)
        near = (step for distance in range(1, _NEAR + 1) for step in (-distance, distance))
        yield from (kinds.last[kind] for kind in kinds.troubled)
        for step in chain(near, range(-_NEAR - 1, -_AROUND - 1, -1)):
            beside = (kinds.first[kind] + step for kind in kinds.troubled)
            yield from (number for number in beside if 0 <= number < count)

    def _show_kind(self, kind: int) -> bool:
        """Show the first of a kind, and how often it is repeated."""
        kinds = self.analysis.kinds
        if not self._show(kinds.first[kind]):
            return False
        if kinds.counts[kind] < _OFTEN:
            return True
        cost = len(self.analysis.repetition(kind)) + 1  # a line break before it
        if cost > self.room:
            return False
        self.room -= cost
        self.told.add(kind)
        return True

    def _show(self, number: int) -> bool:
        """Show a record, or the beginning of a very large one; whether there is room for it."""
        if number in self.shown:
            return True
        whole = self._size(number)
        wanted = min(whole, self._largest)
        cost = wanted + self._note_cost(number, cut=wanted < whole)
        if cost > self.room:
            return False
        self.room -= cost
        self.shown[number] = wanted
        return True

    def _note_cost(self, number: int, *, cut: bool) -> int:
        """Bytes that the notes around a record have more, or fewer where it closes a gap."""
        neighbours = (number - 1 in self.shown) + (number + 1 in self.shown)
        records = self.analysis.records
        before = not records.begins_line(number)
        behind = cut or not records.begins_line(number + 1)
        own = (self._note if cut else 0) + self._part * (before + behind)
        return self._note * (1 - neighbours) + own

    def _size(self, number: int) -> int:
        records = self.analysis.records
        if self._ascii:
            return records.starts[number + 1] - records.starts[number]
        return len(records[number].encode("utf-8", "replace"))


def _as_long_as(holds: Callable[[T], bool], items: Iterable[T]) -> bool:
    """Whether it holds for each of the items, one after the other until it does not."""
    return all(map(holds, items))
