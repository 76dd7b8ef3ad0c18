"""nginx as a reverse proxy: it reads neither question nor answer, so it is the floor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.speed.peers.peer import Plan
from bench.speed.tools import version_of
from bench.speed.upstream import free_port, nginx

_PROXY = """
    upstream vendor {{ server {address}; keepalive 1024; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location / {{
            proxy_pass http://vendor;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """The web server, as a proxy that passes everything on."""

    name: str = "nginx as a proxy"
    language: str = "C"

    @property
    def version(self) -> str:
        """The installed one."""
        return version_of("nginx")

    async def install(self, cache: Path) -> None:
        """Nothing: it is there, as the upstream."""

    def plan(self, *, folder: Path, cache: Path, upstream: str) -> Plan:
        """One process, which keeps its connections."""
        del cache
        port = free_port()
        address = upstream.removeprefix("http://")
        return Plan(nginx(folder, _PROXY.format(address=address, port=port)), port=port)
