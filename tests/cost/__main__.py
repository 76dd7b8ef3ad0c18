"""Print what each kind of request costs, beside what it cost when the baseline was written."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from cost.comparison import (
    BASELINE,
    PYTHON,
    REWRITE,
    Change,
    changes,
    read_baseline,
    write_baseline,
)
from cost.measuring import measure


def main() -> int:
    """Measure, and do as told; 1 where something rose by more than it may."""
    parser = argparse.ArgumentParser(prog="scripts/cost", description=__doc__)
    parser.add_argument("--write", action="store_true", help="make this the new baseline")
    parser.add_argument("--json", action="store_true", help="print the numbers for a program")
    chosen = parser.parse_args()
    costs = measure()
    if chosen.json:
        sys.stdout.write(json.dumps(costs))
        return 0
    if chosen.write:
        write_baseline(costs)
    found = list(changes(read_baseline() or costs, costs))
    sys.stdout.writelines(f"{line}\n" for line in (*_table(found), *_advice(found)))
    return int(any(change.rose for change in found))


def _table(found: list[Change]) -> Iterator[str]:
    yield f"{'one request, Python ' + PYTHON:34}{'':8}{'before':>12}{'now':>12}{'change':>9}"
    for change in found:
        share = f"{change.now / change.before - 1:+.1%}" if change.before else ""
        numbers = f"{change.before:12,.1f}{change.now:12,.1f}{share:>9}"
        yield f"{change.kind:34}{change.count:8}{numbers}"


def _advice(found: list[Change]) -> Iterator[str]:
    if read_baseline() is None:
        yield f"{BASELINE.name} has no numbers for Python {PYTHON}; write them: {REWRITE}"
    for change in found:
        if change.rose:
            yield f"Too much: {change}"
        elif change.fell:
            yield f"The baseline may be lowered with `{REWRITE}`: {change}"


if __name__ == "__main__":
    sys.exit(main())
