"""All that is found out about a text once, whoever is asked about it (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from faultmaven.services.condensing.alarms import Alarm, Alarms, alarms_of
from faultmaven.services.condensing.kinds import Kinds, kinds_of
from faultmaven.services.condensing.records import Records, records_of

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})?[T ]?([0-9]{2}:[0-9]{2}:[0-9]{2})")
_TIME_CHARS = 100  # at the start of a record, where its time stands
_STAMPS = 20  # records at either end among which one with a time is looked for


@dataclass(frozen=True, slots=True)
class Analysis:
    """A text, taken apart.

    Attributes:
        records: its records.
        alarms: how loudly each speaks of trouble.
        kinds: which of them are alike.
    """

    records: Records
    alarms: Alarms
    kinds: Kinds

    @property
    def heading(self) -> str:
        """What is to be known of the whole before reading parts of it; one line."""
        lines = self.records.lines[-1] - 1
        last = len(self.records) - 1
        early = range(min(_STAMPS, last + 1))
        late = range(last, max(last - _STAMPS, -1), -1)
        first, final = (self._stamped(numbers) for numbers in (early, late))
        time = self.span(first, final)
        trouble = len(self.records) - self.alarms.levels.count(Alarm.NONE)
        return (
            f"[... the telling part of {lines} lines{time and f' ({time})'}, of which {trouble} "
            "speak of trouble; notes like this one are no part of it ...]\n"
        )

    def repetition(self, kind: int) -> str:
        """How often a kind stands in the text, and from when to when; one line."""
        first, last = self.kinds.first[kind], self.kinds.last[kind]
        time = self.span(first, last)
        between = f" between {time.replace(' to ', ' and ')}" if " to " in time else ""
        return (
            f"[... repeated {self.kinds.counts[kind]} times{between}, "
            f"numbers aside; last in line {self.records.lines[last]} ...]\n"
        )

    def span(self, first: int, last: int) -> str:
        """The time from one record to another, or an empty text where there is none."""
        began, ended = (_TIME.search(self.records[n][:_TIME_CHARS]) for n in (first, last))
        if began is None or ended is None or began[0] == ended[0]:
            return began[0].strip("T ") if began else ""
        end = ended[2] if began[1] == ended[1] else ended[0]
        return f"{began[0].strip('T ')} to {end.strip('T ')}"

    def _stamped(self, numbers: range) -> int:
        """The first of these records that has a time, or the first of all."""
        stamped = (n for n in numbers if _TIME.search(self.records[n][:_TIME_CHARS]))
        return next(stamped, numbers[0])


def analyse(text: str) -> Analysis:
    """Take a text apart; it must not be empty."""
    records = records_of(text)
    alarms = alarms_of(records)
    return Analysis(records, alarms, kinds_of(records, alarms))
