"""One line of the table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "time"]


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes:
        scenario: where it was made.
        what: what was measured.
        measured: the value.
        wanted: the bound.
        most: whether the bound is the largest good value; else it is the smallest.
        unit: of both.
        kind: whether it counts, or depends on how fast the machine is.
        note: what else a reader must know.
    """

    scenario: str
    what: str
    measured: float
    wanted: float
    most: bool = True
    unit: str = ""
    kind: Kind = "count"
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within the bound; what is no number is not."""
        return self.measured <= self.wanted if self.most else self.measured >= self.wanted


def share(scenario: str, what: str, measured: float, wanted: float, *, note: str = "") -> Row:
    """A share that should be large, in per cent."""
    return Row(scenario, what, 100 * measured, 100 * wanted, most=False, unit="%", note=note)


def exactly(scenario: str, what: str, measured: int, wanted: int, *, note: str = "") -> Row:
    """A count with one good value: the row holds how far away it is."""
    said = f"measured {measured}, wanted {wanted}"
    return Row(scenario, what, abs(measured - wanted), 0, note=f"{said}; {note}" if note else said)


def took(scenario: str, what: str, seconds: float, wanted: float, *, note: str = "") -> Row:
    """A time that should be short, in milliseconds."""
    return Row(scenario, what, 1000 * seconds, 1000 * wanted, unit="ms", kind="time", note=note)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = ("scenario", "what", "measured", "wanted", "met", "note")
    cells = [head, tuple("---" for _ in head), *(_cells(row) for row in rows)]
    return "\n".join(_joined(each) for each in cells)


def line(row: Row) -> str:
    """One line of the table."""
    return _joined(_cells(row))


def _joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row) -> tuple[str, ...]:
    sign = "≤" if row.most else "≥"
    return (
        row.scenario,
        row.what,
        f"{row.measured:.6g} {row.unit}".strip(),
        f"{sign} {row.wanted:.6g} {row.unit}".strip(),
        "yes" if row.met else "**no**",
        row.note,
    )
