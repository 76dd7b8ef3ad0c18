"""Portkey's gateway. https://github.com/Portkey-AI/gateway: headers name provider and host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.speed.answers import KEY
from bench.speed.installing import npm_package
from bench.speed.peers.peer import Plan
from bench.speed.upstream import free_port

# With one of 1.14 or later no stream works, since it refuses the headers that the
# gateway adds: https://github.com/Portkey-AI/gateway/issues/1389.
_SERVER = {"@hono/node-server": "1.13.8"}


@dataclass(frozen=True, slots=True)
class Portkey:
    """One process of Node."""

    name: str = "Portkey gateway"
    version: str = "1.15.2"
    language: str = "Node"

    async def install(self, cache: Path) -> None:
        """From npm."""
        package = {"@portkey-ai/gateway": self.version}
        await npm_package(package, self._folder(cache), instead=_SERVER)

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """It needs no configuration: every request says where it goes."""
        del folder
        port = free_port()
        program = self._folder(cache) / "node_modules/@portkey-ai/gateway/build/start-server.js"
        return Plan(
            command=("node", str(program), "--headless", f"--port={port}"),
            environment={"NODE_ENV": "production"},
            port=port,
            headers={
                "authorization": f"Bearer {KEY}",
                "x-portkey-provider": "openai",
                "x-portkey-custom-host": f"{upstream}/v1",
            },
        )

    def _folder(self, cache: Path) -> Path:
        return cache / f"portkey-{self.version}"
