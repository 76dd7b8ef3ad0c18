"""TensorZero's gateway: its Python package carries the whole of it and can serve HTTP.

https://www.tensorzero.com/docs/gateway/configuration-reference has its settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.speed.answers import MODEL
from bench.speed.installing import python_package
from bench.speed.peers.peer import Plan

_CONFIGURATION = """
[gateway]
disable_pseudonymous_usage_analytics = true

[gateway.observability]
enabled = false

[models."{model}"]
routing = ["vendor"]

[models."{model}".providers.vendor]
type = "openai"
model_name = "{model}"
api_base = "{upstream}/v1/"
api_key_location = "none"
"""
# What `tensorzero.patch_openai_client` does; it is the only way to the gateway in the package.
_PROGRAM = """
import sys, threading
import tensorzero
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None,
    async_setup=False,
)
print("listens at", gateway.base_url, flush=True)
threading.Event().wait()
"""


@dataclass(frozen=True, slots=True)
class TensorZero:
    """The gateway in Rust, started from its Python package; it keeps no records."""

    name: str = "TensorZero gateway"
    version: str = "2026.6.0"
    language: str = "Rust"

    async def install(self, cache: Path) -> None:
        """From PyPI."""
        await python_package(f"tensorzero=={self.version}", self._folder(cache))

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """One model, at the upstream; it chooses its port itself."""
        file = folder / "tensorzero.toml"
        file.write_text(_CONFIGURATION.format(model=MODEL, upstream=upstream), encoding="utf-8")
        return Plan(
            command=(str(self._folder(cache) / "bin" / "python"), "-c", _PROGRAM, str(file)),
            environment={"TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS": "1"},
            path="/openai/v1/chat/completions",
            model=f"tensorzero::model_name::{MODEL}",
        )

    def _folder(self, cache: Path) -> Path:
        return cache / f"tensorzero-{self.version}"
