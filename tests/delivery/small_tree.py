"""A copy of the project whose lock holds only what its smallest commands need."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SCRIPT = "run_faultmaven.sh"
DEAD_INDEX = "http://127.0.0.1:9/simple"  # port 9 discards; nobody listens there

_ENTRY = re.compile(r"^([a-z0-9-]+)==.*(?:\n[ \t].*)*", re.MULTILINE)
_PATIENCE = 600  # seconds; an install on a busy machine
_FILES = (SCRIPT, "pyproject.toml", "README.md", "LICENSE", "requirements-engine.lock")
BUILD = "editables hatchling packaging pathspec pluggy tomlkit trove-classifiers"
"""What installs the project itself."""

COMMAND = (
    "annotated-doc annotated-types markdown-it-py mdurl pydantic pydantic-core pydantic-settings "
    "pygments python-dotenv rich shellingham typer typing-extensions typing-inspection"
)
"""What the command needs to say its version or to read its settings."""


Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class SmallTree:
    """The copy and how to run its script."""

    root: Path
    home: Path

    @property
    def environment_folder(self) -> Path:
        """Where the script puts its Python environment."""
        return self.root / ".venv"

    @property
    def lock(self) -> Path:
        """The cut-down lock."""
        return self.root / "requirements.lock"

    def start(self, *words: str, script: str = "", **variables: str) -> Process:
        """Start the script from another folder, without the embedded model unless asked for."""
        return subprocess.Popen(  # noqa: S603 - our own script
            [str(script or self.root / SCRIPT), *words],
            cwd=self.home,
            env=_environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **variables: str) -> Run:
        """Run the script to its end."""
        process = self.start(*words, **variables)
        out, err = process.communicate(timeout=_PATIENCE)
        return Run(process.returncode, out, err)


def _environment(further: Mapping[str, str]) -> dict[str, str]:
    """The environment of a run: ours, less what configures FaultMaven."""
    ours = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - a child needs PATH and the like
        if not name.startswith(("FAULTMAVEN", "LOCAL_", "PORT", "HOST"))
    }
    return {**ours, "LOCAL_MODEL": "off", **further}


def make_small_tree(folder: Path, packages: str) -> SmallTree:
    """Copy the project's own files, and the entries of its lock for some packages."""
    root, home = folder / "project of mine", folder / "elsewhere"
    home.mkdir(parents=True)
    shutil.copytree(PROJECT / "app", root / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy2(PROJECT / name, root / name)
    (root / "requirements.lock").write_text(_entries(set(packages.split())), encoding="utf-8")
    return SmallTree(root, home)


def _entries(names: set[str]) -> str:
    text = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    entries = {match[1]: match[0] for match in _ENTRY.finditer(text)}
    return "\n".join(entries[name] for name in sorted(names)) + "\n"
