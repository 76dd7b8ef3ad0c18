"""Condense large texts and ask about one: `python -m bench.large [SHAPE …] [--size 5000000]`.

Two tables: what condensing alone costs, by the shape of the text; and what it costs everybody
when the real service is asked about such a text, while it is asked every 10 ms whether it lives.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bench.large.condensing import condensed
from bench.large.request import Cost, asked, cost_of
from bench.large.shapes import SHAPES, text_of

_UNSENDABLE = frozenset({"binary junk"})
"""The service takes text: control characters are refused before anything is done with them."""

_TROUBLESHOOT, _CHAT = "/api/v1/query/troubleshoot", "/v1/chat/completions"
_REQUEST = "{:22} {:18} {:>7} {:>8} {:>8} {:>9} {:>9}"
_ALONE = "{:22} {:>10} {:>14} {:>12}"


def main() -> None:
    """Measure, and print both tables."""
    options = _parser().parse_args()
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    shapes = options.shapes or list(SHAPES)
    print(_ALONE.format("condensing", "CPU s", "again, CPU s", "memory x"))
    for shape in shapes:
        found = condensed(text_of(shape, options.size))
        numbers = f"{found.first:.2f}", f"{found.further:.3f}", f"{found.memory:.1f}"
        print(_ALONE.format(shape, *numbers), flush=True)
    sendable = [shape for shape in shapes if shape not in _UNSENDABLE]
    asyncio.run(_ask(sendable, options.size))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("shapes", nargs="*", choices=[*SHAPES, []], metavar="SHAPE")
    parser.add_argument("--size", type=int, default=5_000_000, help="characters")
    return parser


async def _ask(shapes: Sequence[str], size: int) -> None:
    heads = "status", "seconds", "CPU s", "memory x", "gap ms"
    print(f"\n{_REQUEST.format('request', 'to', *heads)}")
    for shape in shapes:
        for path, body in _bodies(text_of(shape, size)).items():
            # A process has memory to spare once it has been asked; so each is a new one.
            async with asked() as playing:
                _tell(shape, path, await cost_of(playing, path, body))


def _bodies(text: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        _TROUBLESHOOT: {"session_id": "large", "query": text},
        _CHAT: {"model": "auto", "messages": [{"role": "user", "content": text}]},
    }


def _tell(shape: str, path: str, cost: Cost) -> None:
    numbers = (
        str(cost.status),
        f"{cost.seconds:.2f}",
        f"{cost.cpu:.2f}",
        f"{cost.memory / cost.sent:.1f}",
        f"{cost.gap_ms:.0f}",
    )
    print(_REQUEST.format(shape, path.rpartition("/")[2], *numbers), flush=True)


if __name__ == "__main__":
    main()
