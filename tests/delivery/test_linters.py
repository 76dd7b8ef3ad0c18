"""Shell scripts and the Dockerfile pass their linters."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
SHELL_SCRIPTS = ("run_faultmaven.sh", "scripts/check", "scripts/cost", "scripts/lock", ".ci/run")


def _lint(tool: str, *words: str) -> subprocess.CompletedProcess[str]:
    if not (TOOLS / tool).exists():
        pytest.skip(f"{tool} has no build for this machine")
    return subprocess.run(  # noqa: S603 - a tool of the locked environment
        [str(TOOLS / tool), *words], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_shell_scripts() -> None:
    """Shellcheck finds nothing in any shell script."""
    result = _lint("shellcheck", *SHELL_SCRIPTS)
    assert result.returncode == 0, result.stdout


def test_every_shell_script_is_linted() -> None:
    """No script with a shell's first line is left out above."""
    tracked = [*PROJECT.glob("*.sh"), *PROJECT.glob("scripts/*"), *PROJECT.glob(".ci/*")]
    shell = [path for path in tracked if path.read_text("utf-8").startswith("#!/usr/bin/env bash")]
    assert {str(path.relative_to(PROJECT)) for path in shell} == set(SHELL_SCRIPTS)


def test_dockerfile() -> None:
    """Hadolint finds nothing in the Dockerfile."""
    result = _lint("hadolint", "Dockerfile")
    assert result.returncode == 0, result.stdout
