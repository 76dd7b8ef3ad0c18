"""``run_faultmaven.sh``: sets up once, starts quickly, repairs itself, explains what is missing."""

import json
import shutil
import socket
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from delivery.small_tree import (
    BUILD,
    COMMAND,
    DEAD_INDEX,
    PROJECT,
    SCRIPT,
    SmallTree,
    make_small_tree,
)

OFFLINE = {"PIP_INDEX_URL": DEAD_INDEX, "PIP_RETRIES": "0"}
VERSION = version("faultmaven")
INSTALLING = "Installing from requirements.lock"
TOOLS = ("bash", "env", "cat", "cksum", "dirname", "ls", "readlink", "rm", "uname")


@dataclass(frozen=True)
class FirstStarts:
    """A project that was started for the first time twice at once, and what was said."""

    tree: SmallTree
    codes: list[int]
    out: list[str]
    err: list[str]


@pytest.fixture(scope="module")
def first_starts(tmp_path_factory: pytest.TempPathFactory) -> FirstStarts:
    """Both starts from another folder; the second one through a symbolic link."""
    tree = make_small_tree(tmp_path_factory.mktemp("small"), f"{BUILD} {COMMAND}")
    link = tree.home / "faultmaven-link"
    link.symlink_to(f"../{tree.root.name}/{SCRIPT}")
    starts = [tree.start("version", "--json"), tree.start("version", "--json", script=str(link))]
    said = [start.communicate(timeout=600) for start in starts]
    codes = [start.returncode for start in starts]
    return FirstStarts(tree, codes, [out for out, _ in said], [err for _, err in said])


@pytest.fixture
def tree(first_starts: FirstStarts) -> SmallTree:
    """A project that has been set up."""
    assert first_starts.codes == [0, 0], first_starts.err
    return first_starts.tree


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with the shell's tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return folder


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of loopback that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_two_first_starts_install_once(first_starts: FirstStarts) -> None:
    """Of two first starts at once one installs, the other waits, and both do what was asked."""
    assert first_starts.codes == [0, 0], first_starts.err
    assert [json.loads(out)["faultmaven"] for out in first_starts.out] == [VERSION] * 2
    assert sum(INSTALLING in text for text in first_starts.err) == 1
    assert sum("Waiting for another start" in text for text in first_starts.err) == 1


def test_second_start_installs_nothing(tree: SmallTree) -> None:
    """A later start needs no package index and says nothing about installing."""
    again = tree.run("version", **OFFLINE)
    assert again.code == 0, again.err
    assert again.err == ""


def test_engine_stays_away_where_the_model_is_off(tree: SmallTree) -> None:
    """With LOCAL_MODEL=off the engine is not installed."""
    assert not list(tree.environment_folder.glob("lib/*/site-packages/xllamacpp*"))


def test_engine_that_cannot_be_installed_is_no_obstacle(tree: SmallTree) -> None:
    """Where the engine cannot be had, one message says so, and the command runs."""
    run = tree.run("version", LOCAL_MODEL="auto", **OFFLINE)
    assert run.code == 0, run.err
    assert "engine could not be installed" in run.err
    assert "LOCAL_MODEL=off" in run.err
    assert run.out.startswith("FaultMaven")


def test_environment_file_beside_the_script_counts(tree: SmallTree, taken_port: int) -> None:
    """PORT from .env is used from any folder, and a port in use is explained in one sentence."""
    settings = tree.root / ".env"
    settings.write_text(f'export PORT="{taken_port}"  # mine\n', encoding="utf-8")
    try:
        run = tree.run()
    finally:
        settings.unlink()
    assert run.code == 1
    assert f"Port {taken_port} on 127.0.0.1 is in use" in run.err
    assert f"PORT={taken_port + 1}" in run.err
    assert "Traceback" not in run.err


def test_changed_lock_is_installed(tree: SmallTree) -> None:
    """After a change of the lock the next start installs, and the one after does not."""
    tree.lock.write_text(f"{tree.lock.read_text()}# changed\n", encoding="utf-8")
    runs = [tree.run("version") for _ in range(2)]
    assert [run.code for run in runs] == [0, 0]
    assert [INSTALLING in run.err for run in runs] == [True, False]


def test_interrupted_installation_is_repaired(tmp_path: Path) -> None:
    """An environment whose installation was cut off is made anew."""
    tree = make_small_tree(tmp_path, BUILD)
    venv.create(tree.environment_folder)
    (tree.environment_folder / ".installing").touch()
    (tree.environment_folder / "half-written").touch()
    run = tree.run("setup")
    assert run.code == 0, run.err
    assert "made anew: its last installation did not finish" in run.err
    assert not (tree.environment_folder / "half-written").exists()
    assert (tree.environment_folder / "bin" / "faultmaven").exists()


def test_help_needs_nothing(bare_path: Path, tmp_path: Path) -> None:
    """--help works where there is no Python at all."""
    run = SmallTree(PROJECT, tmp_path).run("--help", PATH=str(bare_path))
    assert run.code == 0
    assert "./run_faultmaven.sh test" in run.out


def test_missing_python_is_explained(bare_path: Path, tmp_path: Path) -> None:
    """Without a Python that runs, one message says what to install and how to name one."""
    broken = bare_path / "python3"  # a version manager's shim for a version that is not there
    broken.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    run = SmallTree(PROJECT, tmp_path).run(
        "version", PATH=str(bare_path), FAULTMAVEN_VENV=str(tmp_path / "venv")
    )
    assert run.code == 1
    assert "needs Python 3.11 or newer" in run.err
    assert "FAULTMAVEN_PYTHON=" in run.err
    assert not (tmp_path / "venv").exists()


def test_python_without_venv_is_explained(bare_path: Path, tmp_path: Path) -> None:
    """A Python without ensurepip, as Debian ships it, gets the one command that helps."""
    (tmp_path / "ensurepip.py").write_text("raise ImportError\n", encoding="utf-8")
    crippled = bare_path / "python3"
    crippled.write_text(
        f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n', encoding="utf-8"
    )
    crippled.chmod(0o755)
    run = SmallTree(PROJECT, tmp_path).run(
        "version", PATH=str(bare_path), FAULTMAVEN_VENV=str(tmp_path / "venv")
    )
    assert run.code == 1
    assert "sudo apt-get install python3-venv" in run.err


def test_foreign_folder_is_not_taken_over(tmp_path: Path) -> None:
    """A folder that is no Python environment is never cleared."""
    (tmp_path / "precious").touch()
    run = SmallTree(PROJECT, tmp_path).run("version", FAULTMAVEN_VENV=str(tmp_path))
    assert run.code == 1
    assert "is not a Python environment" in run.err
    assert (tmp_path / "precious").exists()
