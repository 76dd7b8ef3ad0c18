"""The command `faultmaven`, with a window: on a signal it tells what is inside the process.

`python -m bench.chaos.observed FILE serve` is `faultmaven serve`. SIGUSR1 writes counts to FILE,
SIGUSR2 the `repr` of every object of ours, for whoever looks for secrets in them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from pathlib import Path
from typing import Any

from httpcore import AsyncHTTPConnection

from faultmaven.cli.main import main
from faultmaven.infrastructure.llm.transport.pool import Pool

_found = 0  # objects that nobody knew any more but each other


def _note(phase: str, told: dict[str, int]) -> None:
    global _found  # noqa: PLW0603 - the collector calls a function, and is one for the process
    _found += told.get("collected", 0) if phase == "stop" else 0


def _counts() -> str:
    gc.unfreeze()  # what the service was made of belongs to it as well
    gc.collect()
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:  # between two turns of the loop
        tasks = -1
    busy = sum(map(_busy, gc.get_objects()))
    # As the service had it: with the program's own objects to look at, garbage is collected so
    # much later that the memory it takes meanwhile would pass for growth.
    gc.freeze()
    return json.dumps({"tasks": tasks, "busy": busy, "found": _found})


def _busy(item: object) -> int:
    """How many connections to upstreams it holds that somebody has and never gave back."""
    if type(item) is Pool:
        return item.lent
    if type(item) is AsyncHTTPConnection:
        return int(not (item.is_idle() or item.is_closed()))
    return 0


def _reprs() -> str:
    gc.unfreeze()
    ours = (item for item in gc.get_objects() if _is_ours(item))
    return "\n".join(_repr(item) for item in ours)


def _is_ours(item: Any) -> bool:
    return str(type(item).__module__).startswith("faultmaven")


def _repr(item: Any) -> str:
    try:
        return repr(item)
    except Exception as error:  # noqa: BLE001 - an object half built may raise anything
        return f"<{type(error).__name__}>"


def _watch(file: Path) -> None:
    def tell(text: str) -> None:
        beside = file.with_suffix(".part")
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(file)

    gc.callbacks.append(_note)
    signal.signal(signal.SIGUSR1, lambda *_: tell(_counts()))
    signal.signal(signal.SIGUSR2, lambda *_: tell(_reprs()))


if __name__ == "__main__":
    _watch(Path(sys.argv.pop(1)))
    main()
