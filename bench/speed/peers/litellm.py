"""LiteLLM's proxy. https://docs.litellm.ai/docs/proxy/configs has its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.speed.answers import KEY, MODEL
from bench.speed.installing import python_package
from bench.speed.peers.peer import Plan
from bench.speed.upstream import free_port

_CONFIGURATION = """
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: {upstream}/v1
      api_key: {key}
litellm_settings:
  telemetry: false
"""


@dataclass(frozen=True, slots=True)
class LiteLLM:
    """One worker, no database, and no key to check, which is what is fastest."""

    name: str = "LiteLLM proxy"
    version: str = "1.106.2"
    language: str = "Python"

    async def install(self, cache: Path) -> None:
        """From PyPI, with what its proxy needs."""
        await python_package(f"litellm[proxy]=={self.version}", self._folder(cache))

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """One model, at the upstream."""
        port = free_port()
        file = folder / "config.yaml"
        text = _CONFIGURATION.format(model=MODEL, upstream=upstream, key=KEY)
        file.write_text(text, encoding="utf-8")
        words = ("--config", str(file), "--host", "127.0.0.1", "--port", str(port))
        return Plan(
            command=(str(self._folder(cache) / "bin" / "litellm"), *words, "--num_workers", "1"),
            environment={
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # fetched from elsewhere otherwise
                "LITELLM_TELEMETRY": "False",
                "LITELLM_LOG": "ERROR",
                "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            },
            port=port,
        )

    def _folder(self, cache: Path) -> Path:
        return cache / f"litellm-{self.version}"
