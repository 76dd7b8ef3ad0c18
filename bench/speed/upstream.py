"""The upstreams: nginx, which answers at once, and our own, which takes its time."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT
from bench.speed.answers import answer, diagnosis, embedding
from bench.speed.child import Child, running

SLOW_SECONDS = 0.05
"""How long the slow upstream takes for a plain answer."""

_PATIENCE = 10.0  # seconds for a start
_LOOK = 0.01  # seconds between two tries

_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {content}
}}
"""
_SERVER = """
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location = /v1/models {{ return 200 '{{"object":"list","data":[{{"id":"gpt-4o"}}]}}'; }}
        location = /v1/embeddings {{ return 200 '{embedding}'; }}
        location /diagnosis/ {{ return 200 '{diagnosis}'; }}
        location / {{ return 200 '{answer}'; }}
    }}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that answers like a vendor's.

    Attributes:
        port: where it listens on loopback.
        child: its process.
    """

    port: int
    child: Child

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def prompt_upstream(folder: Path, processors: Sequence[int]) -> AsyncIterator[Upstream]:
    """Nginx with the answers in its configuration."""
    port = free_port()
    texts = {"answer": answer(), "diagnosis": diagnosis(), "embedding": embedding()}
    content = _SERVER.format(port=port, **{name: _quoted(text) for name, text in texts.items()})
    command = nginx(folder, content)
    async with running(command, folder=folder, processors=processors) as child:
        await answers_at(port, child)
        yield Upstream(port, child)


@asynccontextmanager
async def slow_upstream(
    folder: Path, processors: Sequence[int], *, delay: float = SLOW_SECONDS
) -> AsyncIterator[Upstream]:
    """Our own, which waits before a plain answer, and streams token by token."""
    port = free_port()
    command = (sys.executable, "-m", "bench.speed.origin", str(port), str(delay))
    ours = {"PYTHONPATH": str(ROOT)}
    async with running(command, folder=folder, processors=processors, environment=ours) as child:
        await answers_at(port, child)
        yield Upstream(port, child)


def nginx(folder: Path, content: str) -> tuple[str, ...]:
    """Write a configuration below the folder; the command that serves it in the foreground."""
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(folder=folder, content=content), encoding="utf-8")
    return ("nginx", "-p", str(folder), "-c", str(file))


def free_port() -> int:
    """A port of loopback that nobody had a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def answers_at(port: int, child: Child) -> None:
    """Wait until somebody listens there.

    Raises:
        RuntimeError: the process ended; holds what it said.
        TimeoutError: nobody does.
    """
    async with asyncio.timeout(_PATIENCE):
        while child.process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(_LOOK)
                continue
            writer.close()
            return
    raise RuntimeError(f"the upstream ended: {child.said()[-2000:]}")


def _quoted(text: bytes) -> str:
    """As nginx reads it between single quotes."""
    return text.decode().replace("\\", "\\\\").replace("'", "\\'")
