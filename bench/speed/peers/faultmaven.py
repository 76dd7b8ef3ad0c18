"""FaultMaven itself, from this checkout or another one."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench import ROOT
from bench.speed.answers import KEY, MODEL
from bench.speed.peers.peer import CHAT, Plan
from bench.speed.upstream import free_port

MANY = "100000"
"""More requests in flight than are ever made."""


@dataclass(frozen=True, slots=True)
class FaultMaven:
    """The gateway of this project, as `faultmaven serve` starts it.

    One provider, no embedded model, no probes; the limits of what is in flight are above 1,000.
    Everything else is as it is without a configuration, so everything is on: validation, chain,
    circuit breaker, deadline, redaction, metrics, request ids and the access log.

    Attributes:
        source: the checkout whose `app` is served.
        further: variables beside those.
        path: where it is asked.
        base: path of the upstream's interface.
    """

    source: Path = ROOT
    further: Mapping[str, str] = field(default_factory=dict)
    path: str = CHAT
    base: str = "/v1"
    name: str = "FaultMaven"
    language: str = "Python"

    @property
    def version(self) -> str:
        """As the checkout says."""
        project = tomllib.loads((self.source / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])

    async def install(self, cache: Path) -> None:
        """Nothing: what it needs is what this interpreter has."""

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """One provider, OpenAI's, at the upstream."""
        del cache
        port = free_port()
        usual = {
            "CHAT_PROVIDER": "openai",
            "FALLBACK_CHAIN": "none",
            "OPENAI_API_KEY": KEY,
            "OPENAI_API_BASE": upstream + self.base,
            "OPENAI_MODEL": MODEL,
            "LOCAL_LLM_ENABLED": "false",
            "LOCAL_MODEL": "off",
            "PROBE_INTERVAL": "0",
            "MAX_IN_FLIGHT": MANY,
            "PROVIDER_MAX_IN_FLIGHT": MANY,
            "DRAIN_DELAY": "0",
            "GRACE_PERIOD": "1",
            "FAULTMAVEN_DATA_DIR": str(folder / "data"),
            "FAULTMAVEN_CACHE_DIR": str(folder / "cache"),
            "PORT": str(port),
        }
        variables = {name: value for name, value in {**usual, **self.further}.items() if value}
        variables = {name: text.format(upstream=upstream) for name, text in variables.items()}
        return Plan(
            command=(sys.executable, "-m", "faultmaven", "serve"),
            environment={**variables, "PYTHONPATH": str(self.source / "app")},
            port=port,
            path=self.path,
        )
