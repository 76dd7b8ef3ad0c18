"""The programs the measurement needs, which are Debian's."""

from __future__ import annotations

import re
import shutil
import subprocess

_PACKAGES = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux"}
_ASKED = {"nginx": "-v", "wrk": "-v", "node": "--version"}


class MissingToolsError(Exception):
    """Programs are missing; says which packages have them."""


def check_tools() -> None:
    """Every one is there.

    Raises:
        MissingToolsError: some are not.
    """
    missing = [package for tool, package in _PACKAGES.items() if not shutil.which(tool)]
    if missing:
        raise MissingToolsError(f"not installed; apt-get install -y {' '.join(missing)}")


def versions() -> dict[str, str]:
    """Of the load generator, the upstream, and what peers run on."""
    return {tool: version_of(tool) for tool in _ASKED if shutil.which(tool)}


def version_of(tool: str) -> str:
    """What the program says of itself; empty where it is not there."""
    path = shutil.which(tool)
    if path is None:
        return ""
    told = subprocess.run(  # noqa: S603 - one of the tools above
        [path, _ASKED[tool]], capture_output=True, text=True, check=False
    )
    found = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
    return found[0] if found else ""
