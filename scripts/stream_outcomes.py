"""Write docs/stream-outcomes.md: what becomes of each vendor's stream in each way it can fail.

Run it after adding a provider or a fault: ``.venv/bin/python scripts/stream_outcomes.py``.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from contract.streaming import cases, outcome  # noqa: E402 - the tests' folder is found above
from faultmaven.infrastructure.llm.transport import new_transport  # noqa: E402 - as above

_HEAD = """# What becomes of a stream that fails

Each vendor's upstream misbehaves, real sockets, a healthy provider behind it in the chain.
`answered`: the whole answer came from the vendor. `next`: nothing of it was heard, the next
provider answered. `told`: part of it had been heard, so the listener got an explicit error and no
mark of success. After the colon: what the attempt is called in attempts, logs and metrics. No cell
is a silent success; `tests/contract/test_stream_outcomes.py` holds every cell to what is written
here (`scripts/stream_outcomes.py` writes it).

"""


async def _table() -> dict[str, dict[str, str]]:
    transport = new_transport()
    found: dict[str, dict[str, str]] = {}
    for subject, fault in cases():
        found.setdefault(fault.name, {})[subject.label] = str(
            await outcome(subject, fault, transport)
        )
    await transport.aclose()
    return found


def main() -> None:
    """Run every case and write the table."""
    logging.disable()  # the failures are what is wanted here
    found = asyncio.run(_table())
    labels = list(dict.fromkeys(label for cells in found.values() for label in cells))
    rows = [["fault", *labels], ["---"] * (len(labels) + 1)]
    for name, cells in found.items():
        rows.append([f"`{name}`", *(cells.get(label, "n/a") for label in labels)])
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    (ROOT / "docs" / "stream-outcomes.md").write_text(_HEAD + text + "\n", "utf-8")


if __name__ == "__main__":
    main()
