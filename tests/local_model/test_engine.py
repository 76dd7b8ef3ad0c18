"""What keeps the engine from running: each cause has its own message and way out."""

from __future__ import annotations

import sys

import pytest

from faultmaven.infrastructure.local_model.engine import (
    EngineProblem,
    Platform,
    check_engine,
    explain,
)

GLIBC = Platform(system="Linux", machine="x86_64", libc="glibc")


def present(_name: str) -> object:
    """Find every package."""
    return object()


def absent(_name: str) -> None:
    """Find no package."""


async def probe(program: str) -> EngineProblem | None:
    """Check an engine whose import behaves as ``program``."""
    return await check_engine(here=GLIBC, installed=present, probe=(sys.executable, "-c", program))


async def test_an_engine_that_loads_is_no_problem() -> None:
    """A probe that ends well finds nothing."""
    assert await probe("pass") is None


async def test_the_real_engine_is_found() -> None:
    """Where the tests run, the engine is installed and loads."""
    assert await check_engine() is None


async def test_not_installed_names_the_extra() -> None:
    """On a platform with a wheel the hint is the one command that installs it."""
    problem = await check_engine(here=GLIBC, installed=absent)
    assert problem is not None
    assert "not installed" in problem.message
    assert "pip install 'faultmaven[local-model]'" in problem.hint


@pytest.mark.parametrize(
    "here",
    [
        Platform(system="Linux", machine="x86_64", libc=""),
        Platform(system="Linux", machine="armv7l", libc="glibc"),
        Platform(system="Darwin", machine="ppc", libc=""),
    ],
)
async def test_no_wheel_is_told_apart(here: Platform) -> None:
    """Where no wheel exists, nobody is told to install one."""
    problem = await check_engine(here=here, installed=absent)
    assert problem is not None
    assert "no ready-made build" in problem.message
    assert here.machine in problem.message
    assert "pip install" not in problem.hint


async def test_unsupervised_systems_are_refused_even_with_an_engine() -> None:
    """On Windows the children cannot be looked after, so nothing is started."""
    here = Platform(system="Windows", machine="amd64", libc="")
    problem = await check_engine(here=here, installed=present)
    assert problem is not None
    assert "not on Windows" in problem.message


async def test_missing_libgomp_names_the_package() -> None:
    """The missing system library is told with the command that installs it."""
    problem = await probe(
        "raise ImportError('libgomp.so.1: cannot open shared object file: No such file')"
    )
    assert problem is not None
    assert "libgomp.so.1" in problem.message
    assert "apt-get install libgomp1" in problem.hint


async def test_a_processor_too_old_is_told() -> None:
    """An illegal instruction is the processor's fault, and is said so."""
    problem = await probe("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert problem is not None
    assert "AVX2" in problem.message


async def test_another_import_error_is_quoted() -> None:
    """Any other failure is told in the engine's own words."""
    problem = await probe("raise ImportError('GLIBC_2.99 not found')")
    assert problem is not None
    assert problem.message.endswith("ImportError: GLIBC_2.99 not found")


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        (3, "0.00.006.093 E llama: error loading model: bad\nsorry", "llama: error loading"),
        (3, "first\nlast", "last"),
        (3, "", "exit code 3"),
        (-11, "", "SIGSEGV"),
        (None, "", "hung"),
    ],
)
def test_an_end_is_explained_by_its_best_line(code: int | None, words: str, told: str) -> None:
    """The line that names an error comes first, then the last line, then the exit code."""
    assert told in explain(code, words).message
