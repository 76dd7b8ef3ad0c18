"""Peers are installed below a cache of their own, by the registries' ordinary clients."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_PATIENCE = 900.0  # seconds for one package and what it needs
_DONE = "installed"

CACHE = Path("~/.cache/faultmaven-bench").expanduser()
"""Where peers are installed unless somebody wants them elsewhere."""


class NotInstallableError(Exception):
    """It cannot be had here; says why."""


async def python_package(requirement: str, folder: Path) -> None:
    """Install a package from PyPI into a virtual environment.

    Raises:
        NotInstallableError: pip failed; holds its last line.
    """
    if (folder / _DONE).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    await _run(sys.executable, "-m", "venv", str(folder))
    await _run(str(folder / "bin" / "pip"), "install", "--quiet", requirement)
    (folder / _DONE).touch()


async def npm_package(
    requirement: Mapping[str, str], folder: Path, *, instead: Mapping[str, str]
) -> None:
    """Install a package from npm; no script of any package is run.

    Args:
        requirement: its name and version.
        folder: where.
        instead: versions of what it needs that are taken instead of the newest.

    Raises:
        NotInstallableError: there is no npm, or it failed; holds its last line.
    """
    if (folder / _DONE).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing else is going on
    wanted = {"private": True, "dependencies": {**requirement}, "overrides": {**instead}}
    (folder / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    await _run("npm", "install", "--prefix", str(folder), *quiet)
    (folder / _DONE).touch()


async def _run(*command: str) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except FileNotFoundError:
        raise NotInstallableError(f"{command[0]} is not installed") from None
    try:
        async with asyncio.timeout(_PATIENCE):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise NotInstallableError(f"not installed within {_PATIENCE:.0f} s") from None
    if process.returncode:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise NotInstallableError(last[:200])
