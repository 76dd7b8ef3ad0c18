"""Numbers that cost next to nothing to count in.

The client library's own take a lock and several calls for each event, for programs of many
threads. These belong to the event loop's thread, where they are read as well.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate


class Count:
    """A number that goes up, or up and down.

    Attributes:
        value: what it stands at.
    """

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Distribution:
    """How many amounts were how large.

    Args:
        bounds: the largest amount of each bucket, ascending; the last one is infinite.
        buckets: how many amounts are in each; an amount is in one of them.
        total: the sum of all amounts.
    """

    __slots__ = ("_bounds", "_buckets", "_total")

    def __init__(self, bounds: Sequence[float], buckets: Sequence[Count], total: Count) -> None:
        self._bounds = bounds
        self._buckets = buckets
        self._total = total

    def observe(self, amount: float) -> None:
        """Take an amount into account."""
        self._total.value += amount
        self._buckets[bisect_left(self._bounds, amount)].value += 1

    @property
    def at_most(self) -> list[float]:
        """How many amounts were at most each bound."""
        return list(accumulate(bucket.value for bucket in self._buckets))

    @property
    def total(self) -> float:
        """The sum of all amounts."""
        return self._total.value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number is exposed.

    Attributes:
        kind: of its family: ``counter``, ``gauge`` or ``histogram``.
        family: name of the family.
        text: what the family says.
        sample: name of the sample.
        labels: names of its labels.
        values: their values.
        mode: what is made of the numbers of several processes, if they are a gauge's.
    """

    kind: str
    family: str
    text: str
    sample: str
    labels: tuple[str, ...]
    values: tuple[str, ...]
    mode: str = ""


Keep = Callable[[Place], Count]
"""Makes the number of a place, which stands at zero or where a former process left it."""


def in_memory(_place: Place) -> Count:
    """Keep a number to this process."""
    return Count()
