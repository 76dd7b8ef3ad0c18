"""Small versions of the chaos measurements: what is counted, not what is timed.

`python -m bench.chaos` plays them in full and times them, too.
"""

import asyncio
import json
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 240.0  # seconds
_SCALE = "0.02"


@pytest.mark.parametrize(
    "scenario",
    ["dead", "random", "outage", "half-open", "reload", "drain", "endurance", "canaries"],
)
async def test_counts_are_within_their_bounds(tmp_path: Path, scenario: str) -> None:
    """The real service behind real sockets loses, cuts, leaks and repeats nothing."""
    file = tmp_path / "rows.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.chaos", scenario, "--scale", _SCALE, "--json", str(file)),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_PATIENCE):
        _, said = await process.communicate()
    assert file.exists(), said.decode()
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    counted = [row for row in rows if row["kind"] == "count"]
    assert counted, said.decode()
    assert [row for row in counted if not row["met"]] == []
