"""Ferro's gateway. https://github.com/ferro-labs/ai-gateway has its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.speed.answers import KEY, MODEL
from bench.speed.installing import python_package
from bench.speed.peers.peer import Plan
from bench.speed.upstream import free_port

_CONFIGURATION = """
strategy: {{ mode: single }}
targets:
  - virtual_key: openai
    models: [{model}]
"""
_NOWHERE = "http://127.0.0.1:9/"
_MANY = "100000000"


@dataclass(frozen=True, slots=True)
class Ferro:
    """The program that its package on PyPI carries; one processor makes one thread of it."""

    name: str = "Ferro gateway"
    version: str = "1.5.10"
    language: str = "Go"

    async def install(self, cache: Path) -> None:
        """From PyPI."""
        await python_package(f"ferrogw=={self.version}", self._folder(cache))

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """One target, at the upstream; its list of models is the built-in one."""
        port = free_port()
        file = folder / "config.yaml"
        file.write_text(_CONFIGURATION.format(model=MODEL), encoding="utf-8")
        return Plan(
            command=(str(self._folder(cache) / "bin" / "ferrogw"),),
            environment={
                "GATEWAY_CONFIG": str(file),
                "PORT": str(port),
                "MASTER_KEY": "fgw_0123456789abcdef0123456789abcdef",
                "ALLOW_UNAUTHENTICATED_PROXY": "true",
                "OPENAI_API_KEY": KEY,
                "OPENAI_BASE_URL": upstream,
                "RATE_LIMIT_RPS": _MANY,
                "RATE_LIMIT_BURST": _MANY,
                "FERRO_MODEL_CATALOG_URL": _NOWHERE,  # fetched from elsewhere otherwise
                "FERRO_MODEL_DISCOVERY_INTERVAL": "0",
            },
            port=port,
        )

    def _folder(self, cache: Path) -> Path:
        return cache / f"ferro-{self.version}"
