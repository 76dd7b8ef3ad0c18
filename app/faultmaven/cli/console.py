"""Where the command writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@cache
def out() -> Console:
    """Results; colour only in a terminal, no wrapping in a pipe."""
    from rich.console import Console

    console = Console(highlight=False)
    console.soft_wrap = not console.is_terminal
    return console


@cache
def err() -> Console:
    """Progress and complaints."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str, hint: str | None = None) -> None:
    """Say what went wrong and what to do about it."""
    err().print(message, style="red", markup=False)
    if hint:
        err().print(hint, markup=False)


def print_json(value: Any) -> None:
    """Print one JSON document, the same in a terminal and in a pipe."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201 - a document, not a message
