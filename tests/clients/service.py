"""The service as a user starts it: its own process, configured by the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clients.vendors import COHERE_ROW, NAMES, VENDORS, Vendors

_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_SOON = 60  # seconds; a busy machine is slow to start and to end a process


@dataclass(slots=True)
class Service:
    """A running service.

    Attributes:
        url: its address, without a path.
        log: what it logs.
    """

    url: str
    log: Path
    _read: int = 0

    def news(self) -> str:
        """What was logged since this was asked last."""
        told = self.log.read_bytes()
        fresh, self._read = told[self._read :], len(told)
        return fresh.decode()


@contextmanager
def serving(vendors: Vendors, folder: Path) -> Iterator[Service]:
    """Start the service with every vendor behind it; it ends as under a supervisor."""
    path = folder / "log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "faultmaven", "serve", "--port", "0"],
            cwd=folder,
            env=_environment(vendors, folder),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        with process:
            try:
                yield Service(_address(process), path)
            finally:
                process.terminate()
                process.communicate(timeout=_SOON)


def _address(process: subprocess.Popen[str]) -> str:
    """Wait for the greeting and take the address out of it."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"answers at (http://127\.0\.0\.1:\d+)", line)
        if found:
            return found[1]
    raise AssertionError(f"the service did not start (exit code {process.wait(_SOON)})")


def _environment(vendors: Vendors, folder: Path) -> Mapping[str, str]:
    (folder / "providers.toml").write_text(COHERE_ROW, encoding="utf-8")
    primary, *fallbacks = NAMES
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ}  # noqa: TID251 - a child needs PATH and the like
    for name, vendor in VENDORS.items():
        variables.update(vendor.variables(vendors.upstreams[name]))
    return {
        **variables,
        "CHAT_PROVIDER": primary,
        "FALLBACK_CHAIN": ",".join(fallbacks),
        "COHERE_API": "chat",
        "PROVIDERS_FILE": str(folder / "providers.toml"),
        "LOCAL_MODEL": "off",
        "PROBE_INTERVAL": "0",
        "FAULTMAVEN_DATA_DIR": str(folder / "data"),
        "FAULTMAVEN_CACHE_DIR": str(folder / "cache"),
    }
