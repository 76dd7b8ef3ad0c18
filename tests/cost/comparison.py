"""What requests cost now, beside what they cost when the baseline was written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BASELINE = Path(__file__).with_name("baseline.json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version in use, by which the baseline is kept: each counts calls in its own way."""

TOLERANCE = 0.10  # of what it was
REWRITE = "scripts/cost --write"

Costs = Mapping[str, float]
"""How much of each thing one request takes."""


@dataclass(frozen=True, slots=True)
class Change:
    """One count of one kind of request, then and now.

    Attributes:
        kind: of request.
        count: what is counted.
        before: in the baseline.
        now: as measured.
    """

    kind: str
    count: str
    before: float
    now: float

    @property
    def rose(self) -> bool:
        """Whether it is more than it may be."""
        return self.now > self.before * (1 + TOLERANCE)

    @property
    def fell(self) -> bool:
        """Whether so much was gained that the baseline should keep it."""
        return self.now < self.before * (1 - TOLERANCE)

    def __str__(self) -> str:
        """Tell it to whoever must do something about it."""
        share = f" ({self.now / self.before - 1:+.0%})" if self.before else ""
        verb = "rose" if self.now > self.before else "fell"
        return f"{self.kind}: {self.count} {verb} from {self.before:,.1f} to {self.now:,.1f}{share}"


def changes(before: Mapping[str, Costs], now: Mapping[str, Costs]) -> Iterator[Change]:
    """Pair each count of the baseline with what was measured.

    Raises:
        KeyError: what one of them counts the other does not: the baseline is not of this guard.
    """
    for kind in {**before, **now}:
        for count in {**before[kind], **now[kind]}:
            yield Change(kind, count, before[kind][count], now[kind][count])


def read_baseline(file: Path = BASELINE, *, python: str = PYTHON) -> dict[str, Costs] | None:
    """What requests cost under a version of Python; ``None`` where nobody wrote it down."""
    return _versions(file).get(python)


def write_baseline(costs: Mapping[str, Costs], file: Path = BASELINE) -> None:
    """Keep this as what requests cost under this version of Python; the others' stay."""
    rounded = {
        kind: {count: round(number, 1) for count, number in numbers.items()}
        for kind, numbers in costs.items()
    }
    text = json.dumps({**_versions(file), PYTHON: rounded}, indent=2, sort_keys=True)
    file.write_text(f"{text}\n", encoding="utf-8")


def _versions(file: Path) -> dict[str, dict[str, Costs]]:
    if not file.exists():
        return {}
    versions: dict[str, dict[str, Costs]] = json.loads(file.read_text(encoding="utf-8"))
    return versions
