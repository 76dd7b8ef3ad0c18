"""Whether the engine can run here, found out without loading it into this process."""

from __future__ import annotations

import importlib.util
import platform
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from faultmaven.infrastructure.local_model.process import running

ENGINE: Final = "xllamacpp"
INSTALL: Final = "pip install 'faultmaven[local-model]'"
ALTERNATIVES: Final = (
    "Instead of an embedded model set LOCAL_LLM_URL to a running model server or set a "
    "provider's API key; LOCAL_MODEL=off starts without any."
)
_LOG_PREFIX: Final = re.compile(r"^[\d.]+ [A-Z] ")  # llama.cpp's time and level
PROBE: Final = (sys.executable, "-c", f"import {ENGINE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProblem:
    """Why the engine cannot run here, and what to do about it."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What decides whether the engine has a ready-made wheel.

    Attributes:
        system: as :func:`platform.system` says it.
        machine: as :func:`platform.machine` says it.
        libc: ``glibc``, or empty for another or none.
    """

    system: str
    machine: str
    libc: str

    @classmethod
    def here(cls) -> Platform:
        """The platform we run on."""
        return cls(
            system=platform.system(),
            machine=platform.machine().lower(),
            libc=platform.libc_ver()[0],
        )

    @property
    def is_supervised(self) -> bool:
        """Whether we know how to look after a child here."""
        return self.system in {"Linux", "Darwin"}

    @property
    def has_wheel(self) -> bool:
        """Whether the package index has a ready-made engine."""
        if self.system == "Linux":
            return self.libc == "glibc" and self.machine in {"x86_64", "aarch64"}
        return self.machine in {"arm64", "x86_64"}


async def check_engine(
    *,
    here: Platform | None = None,
    installed: Callable[[str], object] = importlib.util.find_spec,
    probe: Sequence[str] = PROBE,
    environment: Mapping[str, str] | None = None,
) -> EngineProblem | None:
    """Say what keeps the engine from running here, or ``None``.

    Args:
        here: the platform to judge; ours by default.
        installed: finds a top-level package without importing it.
        probe: a command that imports the engine.
        environment: of the probe; ``None`` gives it ours.
    """
    here = here or Platform.here()
    if not here.is_supervised:
        return _unsupervised(here)
    if installed(ENGINE) is None:
        return _missing() if here.has_wheel else _no_wheel(here)
    async with running(probe, environment=environment) as child:
        code = await child.wait()
    return None if code == 0 else explain(code, child.last_words)


def explain(code: int | None, last_words: str) -> EngineProblem:
    """Make one message of an engine's end.

    Args:
        code: its exit code, negative for a signal; ``None`` when it hung.
        last_words: the end of its standard error.
    """
    if code is None:
        return EngineProblem(message="The embedded model's server hung.", hint=ALTERNATIVES)
    if "libgomp.so.1" in last_words:
        return EngineProblem(
            message="The engine of the embedded model needs libgomp.so.1, which is not installed.",
            hint="Install it: apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp "
            f"(Fedora, RHEL). {ALTERNATIVES}",
        )
    if code == -signal.SIGILL:
        return EngineProblem(
            message="This processor lacks instructions the engine was built with (AVX2).",
            hint=ALTERNATIVES,
        )
    if code == -signal.SIGKILL:
        return EngineProblem(
            message="The embedded model's server was killed, most likely for lack of memory.",
            hint=f"Free memory or set LOCAL_MODEL=small. {ALTERNATIVES}",
        )
    return EngineProblem(
        message=f"The engine of the embedded model failed: {_reason(code, last_words)}",
        hint=ALTERNATIVES,
    )


def _reason(code: int, last_words: str) -> str:
    """The line that says most: the first that speaks of an error, else the last."""
    lines = last_words.splitlines()
    errors = [line for line in lines if "error" in line.lower()]
    ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return _LOG_PREFIX.sub("", (errors[:1] or lines[-1:] or [ending])[0])


def _missing() -> EngineProblem:
    return EngineProblem(
        message=f"The engine of the embedded model ({ENGINE}) is not installed.",
        hint=f"Install it: {INSTALL}. {ALTERNATIVES}",
    )


def _unsupervised(here: Platform) -> EngineProblem:
    return EngineProblem(
        message=f"The embedded model runs on Linux and macOS, not on {here.system}.",
        hint=f"On Windows use WSL, or Ollama with LOCAL_LLM_URL. {ALTERNATIVES}",
    )


def _no_wheel(here: Platform) -> EngineProblem:
    libc = here.libc or "no glibc"
    return EngineProblem(
        message=f"The engine of the embedded model ({ENGINE}) has no ready-made build for "
        f"{here.system} on {here.machine} ({libc}).",
        hint=ALTERNATIVES,
    )
