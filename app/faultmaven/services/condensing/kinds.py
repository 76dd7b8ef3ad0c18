"""Records that are alike but for numbers, as one kind (pure).

Two steps, of which the second sees one record of each kind of the first: numbers are taken out
of a record byte by byte, at some 10 ms for a megabyte in all; then whatever word has a digit in
it is. Alike records have the same alarm and the same code.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from faultmaven.services.condensing.alarms import Alarm, Alarms
from faultmaven.services.condensing.records import Records

_NUMBERS = b"0123456789abcdefABCDEF \t\r\n"  # hexadecimal ones; and what only spreads words
_LOWER = bytes(ord(chr(code).lower()) if code < 128 else code for code in range(256))  # noqa: PLR2004 - ASCII
# Each word is tried from its beginning alone, or a long one would be looked through many times.
_NUMBERED = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{0,16}+[0-9][0-9A-Za-z]*+")
_DIGIT = re.compile("[0-9]")
_LOOKED_AT = 1_000  # characters of a record in which words with digits are alike


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which records are alike; kinds are numbered in the order in which they first come.

    Attributes:
        of_record: the kind of each record.
        first: the first record of each kind.
        last: the last one.
        counts: how many there are of each.
        troubled: kinds that speak of trouble, the gravest first. Of each alarm the first of every
            family comes before the second of any; then what came first comes first.
        quiet: the others, in the same order.
    """

    of_record: array[int]
    first: array[int]
    last: array[int]
    counts: array[int]
    troubled: array[int]
    quiet: array[int]


def kinds_of(records: Records, alarms: Alarms) -> Kinds:
    """Tell which records are alike."""
    rough = _numbered(_rough(records, alarms))
    families = array("q")
    fine = _numbered(_fine(_firsts(rough), records, alarms, families))
    of_record = array("I", map(fine.__getitem__, rough))
    of_kind = array("q", map(families.__getitem__, _firsts(fine)))
    first = array("I", _firsts(of_record))
    troubled, quiet = _ordered(first, alarms, of_kind)
    counts = Counter(of_record)
    return Kinds(
        of_record=of_record,
        first=first,
        last=array("I", dict(zip(of_record, range(len(of_record)), strict=True)).values()),
        counts=array("I", map(counts.__getitem__, range(len(first)))),
        troubled=troubled,
        quiet=quiet,
    )


def _rough(records: Records, alarms: Alarms) -> Iterator[int]:
    """What records have in common whose numbers differ, as a hash: megabytes of keys less."""
    for number, (level, code) in enumerate(zip(alarms.levels, alarms.codes, strict=True)):
        raw = records[number].encode("utf-8", "replace")
        yield hash((level, code, raw.translate(_LOWER, _NUMBERS)))


def _numbered(keys: Iterable[int]) -> array[int]:
    """For each key a number, the same for the same key, in the order in which they come."""
    known: dict[int, int] = {}
    return array("I", (known.setdefault(key, len(known)) for key in keys))


def _firsts(kinds: array[int]) -> Iterator[int]:
    """Where each kind comes first."""
    known = 0
    for number, kind in enumerate(kinds):
        if kind == known:
            yield number
            known += 1


def _fine(
    numbers: Iterable[int], records: Records, alarms: Alarms, families: array[int]
) -> Iterator[int]:
    """What records have in common where the words with digits in them differ, as a hash.

    Notes the family of each, too: records of as many words, of which the first, the third and the
    last are the same, such as those that name different users.
    """
    for number in numbers:
        level, code = alarms.levels[number], alarms.codes[number]
        record = records[number]
        words = _without_numbers(record[:_LOOKED_AT]).split()
        families.append(hash((level, len(words), *words[:1], *words[2:3], *words[-1:])))
        # What stands further on in a very large record may be something else altogether.
        yield hash((level, code, " ".join(words), record[_LOOKED_AT:]))


def _without_numbers(text: str) -> str:
    """The text with a sign for each word that has a digit; one without any costs nothing."""
    return _NUMBERED.sub("#", text) if _DIGIT.search(text) else text


def _ordered(
    first: array[int], alarms: Alarms, families: Iterable[int]
) -> tuple[array[int], array[int]]:
    """Kinds that speak of trouble, and the others."""
    ranks = array("Q")
    known: dict[int, int] = {}
    for number, family in zip(first, families, strict=True):
        ranks.append((alarms.levels[number] << 32) + known.get(family, 0))
        known[family] = known.get(family, 0) + 1
    order = array("I", sorted(range(len(ranks)), key=ranks.__getitem__))
    bound = sum(alarms.levels[number] < Alarm.NONE for number in first)
    return order[:bound], order[bound:]
