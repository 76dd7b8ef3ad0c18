"""The locks: enough for every dependency, hashed, for any index, and the same for tests."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-engine.lock")
ENTRY = re.compile(
    r"^([a-z0-9._-]+)==(\S+)( ;[^\\\n]*)? \\\n((?:[ ]+--hash=\S+(?: \\)?\n)+)", re.MULTILINE
)


def _text(lock: str) -> str:
    return (PROJECT / lock).read_text(encoding="utf-8")


def _pins(lock: str) -> dict[str, Version]:
    return {match[1]: Version(match[2]) for match in ENTRY.finditer(_text(lock))}


def _wanted(lock: str) -> list[str]:
    groups = PYPROJECT["dependency-groups"]
    if lock == "requirements-engine.lock":
        return list(PYPROJECT["project"]["optional-dependencies"]["local-model"])
    runtime = [*PYPROJECT["project"]["dependencies"], *groups["build"]]
    tests = [*groups["dev"], *groups["clients"]]
    return runtime if lock == "requirements.lock" else [*runtime, *tests]


@pytest.mark.parametrize("lock", LOCKS)
def test_satisfies_every_dependency(lock: str) -> None:
    """What pyproject.toml asks for is pinned to a version it allows."""
    pins = _pins(lock)
    for wanted in map(Requirement, _wanted(lock)):
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_pins_and_hashes_everything(lock: str) -> None:
    """Every line is a comment or part of a pinned entry with sha256 hashes."""
    rest = ENTRY.sub("", _text(lock))
    assert [line for line in rest.splitlines() if not line.lstrip().startswith("#")] == []
    hashes = re.findall(r"--hash=(\S+)", _text(lock))
    assert hashes
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes)


@pytest.mark.parametrize("lock", LOCKS)
def test_names_no_index(lock: str) -> None:
    """No address stands there, so that a company mirror serves as well."""
    assert "://" not in _text(lock)
    assert "index-url" not in _text(lock)


def test_build_backend_is_locked() -> None:
    """Installing the project needs no download: its build requirement is in the lock."""
    for wanted in map(Requirement, PYPROJECT["build-system"]["requires"]):
        assert wanted.specifier.contains(_pins("requirements.lock")[wanted.name])


def test_tests_run_what_is_shipped() -> None:
    """Everything the service runs with has the same version in the tests' lock."""
    runtime, tests = _pins("requirements.lock"), _pins("requirements-test.lock")
    assert {name: tests.get(name) for name in runtime} == runtime
