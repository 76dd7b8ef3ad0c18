"""Play the scenarios: `python -m bench.chaos [NAME …] [--scale 0.05] [--json FILE]`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.chaos.row import Row, line, table
from bench.chaos.scenarios import SCENARIOS


def main() -> int:
    """Play, print the table, write the file; 0 when every bound is met."""
    options = _parser().parse_args()
    # Whoever leaves in the middle of an endless answer makes an upstream complain at each write.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    rows: list[Row] = []
    for name in options.names or SCENARIOS:
        rows += _played(name, options.scale)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(_document(rows, options.scale), indent=2) + "\n")
    return 0 if all(row.met for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*SCENARIOS, []],
        metavar="NAME",
        help=f"what to play: {', '.join(SCENARIOS)} (all)",
    )
    parser.add_argument("--scale", type=_scale, default=1.0, help="size, above 0 and up to 1")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    return parser


def _scale(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        message = "must be above 0 and up to 1"
        raise argparse.ArgumentTypeError(message)
    return value


def _played(name: str, scale: float) -> list[Row]:
    """One scenario; its lines are shown at once, since the next one may take minutes."""
    started = time.monotonic()
    rows = asyncio.run(SCENARIOS[name](scale))
    for row in rows:
        print(line(row), file=sys.stderr)
    print(f"{name}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return rows


def _document(rows: Sequence[Row], scale: float) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "system": platform.platform(terse=True),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        "scale": scale,
        "rows": [{**dataclasses.asdict(row), "met": row.met} for row in rows],
    }


if __name__ == "__main__":
    sys.exit(main())
