"""``faultmaven serve``: the service, and what a person sees of its start."""

from __future__ import annotations

import errno
import gc
import signal
import socket
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faultmaven.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faultmaven.settings import Settings

_BACKLOG = 2048
_EXAMPLE = (
    '{"session_id": "first-try", "query": "My pod is in CrashLoopBackOff: '
    'OOMKilled, exit code 137, memory limit 256Mi, java -Xmx512m"}'
)
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound to


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; default: PORT.")
    ] = None,
    listening: Annotated[
        int | None, typer.Option(hidden=True, help="Of a worker: the socket that listens.")
    ] = None,
) -> None:
    """Start the service; Ctrl-C or SIGTERM ends it, and neither cuts a running answer."""
    from faultmaven.settings import load_settings

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    settings = load_settings()
    if listening is not None:
        gc.disable()  # as below
        from faultmaven.cli.worker import serve_as_worker

        raise typer.Exit(0 if serve_as_worker(socket.socket(fileno=listening)) else 1)
    address = host or settings.host, settings.port if port is None else port
    with listen(*address) as taken:
        served = _run(taken) if settings.web_concurrency == 1 else _run_several(taken, settings)
    raise typer.Exit(0 if served else 1)


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything slow happens.

    Raises:
        ConfigurationError: it cannot be had; says why and what to do.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
        # Connections inherit it; without it, the second part of an answer waits for a delayed ACK.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    return listening


def _cannot_listen(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"Port {port} on {host} is in use, by a FaultMaven that is already running or by "
            f"another program (`lsof -i :{port}` tells which).",
            hint=f"Stop that one, or choose another port: PORT={port + 1}.",
        )
    if isinstance(error, PermissionError):
        hint = "Set PORT to a number from 1024."
        return ConfigurationError(f"This user may not listen on port {port}.", hint=hint)
    return ConfigurationError(
        f"This machine cannot listen on {host}: {error.strerror}.",
        hint="Set HOST to 127.0.0.1 for this machine alone, or to 0.0.0.0 for every network.",
    )


def _run(listening: socket.socket) -> bool:
    """Serve until a signal ends it; whether it ever started."""
    # What a start makes is kept: looking for garbage in it takes a tenth of the time. The server
    # has it looked for once it serves.
    gc.disable()
    from faultmaven.cli.hangup import heed_hangup
    from faultmaven.cli.progress import ModelProgress
    from faultmaven.cli.server import DrainingServer

    class Server(DrainingServer):
        """Shows the embedded model's progress, and greets once the service can be asked."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            # Not before: loading the application sets the logs up, and discovery logs.
            from faultmaven.container import container

            heed_hangup(reload=container.reload, end=lambda: self.handle_exit(signal.SIGTERM, None))
            container.get_local_model().on_status(progress)
            await super().startup(sockets=sockets)
            if self.started:
                with progress.set_aside():
                    _greet(listening.getsockname(), container.get_registry().get_fallback_chain())

    server = Server()
    # A failure is in the log.
    with ModelProgress(unsaid=("off", "stopped", "failed")) as progress:
        server.run(sockets=[listening])
    return server.started


def _run_several(listening: socket.socket, settings: Settings) -> bool:
    """Serve with several processes until a signal ends it; whether all could be started."""
    if sys.platform == "win32":
        hint = "Leave WEB_CONCURRENCY at 1, and start it once more on another PORT."
        raise ConfigurationError("WEB_CONCURRENCY: Windows cannot share the port.", hint=hint)
    from faultmaven.cli.crew import serve_with_crew
    from faultmaven.container import container

    address = listening.getsockname()
    return serve_with_crew(
        listening,
        size=settings.web_concurrency,
        greet=lambda: _greet(address, container.get_registry().get_fallback_chain()),
    )


def _end(_number: int, _frame: Any) -> None:
    """End at once while starting; once serving, uvicorn ends gently and comes here last."""
    sys.exit(0)


def _greet(address: tuple[Any, ...], chain: Sequence[str]) -> None:
    host, port = str(address[0]), address[1]
    shown = "localhost" if host in _EVERYWHERE else f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    everywhere = " (and on every address of this machine)" if host in _EVERYWHERE else ""
    lines = (
        "",
        f"FaultMaven answers at {url}{everywhere}; its API is described at {url}/docs",
        f"Fallback chain: {' → '.join(chain) or '(empty)'}",
        "Try it:",
        f"  curl -X POST {url}/api/v1/query/troubleshoot \\",
        '    -H "Content-Type: application/json" \\',
        f"    -d '{_EXAMPLE}'",
        "",
    )
    # As it is: what prints in colour takes longer to load than all of the application to build.
    print("\n".join(lines), flush=True)  # noqa: T201 - a command's own words
