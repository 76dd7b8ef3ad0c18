"""``faultmaven version``: what runs here."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Annotated

import typer

from faultmaven.cli.console import out, print_json

_ENGINE = "xllamacpp"


def version(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Print the versions of FaultMaven, Python and the embedded model's engine."""
    versions = {
        "faultmaven": importlib.metadata.version("faultmaven"),
        "python": platform.python_version(),
        "engine": _engine(),
    }
    if as_json:
        print_json(versions)
        return
    out().print(f"FaultMaven {versions['faultmaven']}")
    out().print(f"Python {versions['python']} ({platform.system()}, {platform.machine()})")
    out().print(f"Engine of the embedded model: {versions['engine'] or 'not installed'}")


def _engine() -> str | None:
    try:
        return f"{_ENGINE} {importlib.metadata.version(_ENGINE)}"
    except importlib.metadata.PackageNotFoundError:
        return None
