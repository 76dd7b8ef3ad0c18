"""How loudly each record of a text speaks of trouble (pure)."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from faultmaven.models.line_blocks import line_blocks
from faultmaven.models.plain_text import lowered
from faultmaven.services.condensing.records import Records
from faultmaven.services.trouble import GRAVE, TROUBLE

# Numbers that tell one failure from another, unlike most numbers in a log. The quote stands
# before the status in the access logs of web servers.
_CODED = ("code", "status", "errno", "signal", '" ')
_CODE = re.compile(r"[\"']?[ =:(]{0,3}([0-9]{1,5})(?![0-9A-Za-z_.])")
# Words that would pass for hexadecimal numbers, and so for no difference at all.
_SPELT_IN_HEX = (" dead", " bad", " add", " fed", " feed", " face", " ceded")
_GOOD = range(200, 400)  # of HTTP
_BAD = range(500, 600)
_HIGHEST = 65_535


class Alarm(IntEnum):
    """How loudly; the lower, the graver."""

    GRAVE = 0
    TROUBLE = 1
    NONE = 2


@dataclass(frozen=True, slots=True)
class Alarms:
    """By record.

    Attributes:
        levels: how loudly each speaks of trouble: an `Alarm`.
        codes: the code of a failure that stands in it, or whatever tells it from others; or 0.
    """

    levels: bytearray
    codes: array[int]


def alarms_of(records: Records) -> Alarms:
    """Listen to every record.

    Plain words are looked for one after the other: that is many times faster than one expression
    of all of them, and lets other threads run in between.
    """
    count = len(records)
    found = Alarms(bytearray([Alarm.NONE]) * count, array("H", bytes(2 * count)))
    for start, end in line_blocks(records.text):
        _listen(found, _Part(lowered(records.text[start:end]), start, records.starts))
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the text in lower case, where it begins, and where all records do."""

    text: str
    begin: int
    starts: array[int]

    def standing(self, word: str) -> Iterator[tuple[int, int]]:
        """Records in which a word stands, and where in the part it stands first in each."""
        find, begin, starts = self.text.find, self.begin, self.starts
        place = find(word)
        while place >= 0:
            number = bisect_right(starts, place + begin) - 1
            yield number, place
            place = find(word, starts[number + 1] - begin)


def _listen(found: Alarms, part: _Part) -> None:
    for level, words in ((Alarm.TROUBLE, TROUBLE), (Alarm.GRAVE, GRAVE)):
        for word in words:
            for number, _ in part.standing(word):
                found.levels[number] = min(found.levels[number], level)
    for order, word in enumerate(_SPELT_IN_HEX):
        for number, _ in part.standing(word):
            found.codes[number] = _HIGHEST - order
    for word in _CODED:
        for number, place in part.standing(word):
            _note_code(found, number, _CODE.match(part.text, place + len(word.rstrip())))


def _note_code(found: Alarms, number: int, code: re.Match[str] | None) -> None:
    value = int(code[1]) if code else 0
    if not value or value in _GOOD or value > _HIGHEST:
        return
    found.codes[number] = value
    if value in _BAD:
        found.levels[number] = min(found.levels[number], Alarm.TROUBLE)
