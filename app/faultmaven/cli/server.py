"""The server as the service runs it: it ends without failing or cutting anybody.

Asked to end, it first says so and serves on, until load balancers have turned away; then it takes
no more connections; then it lets end what is in flight; then it goes.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import time
from contextlib import suppress
from types import FrameType
from typing import Literal

import uvicorn
from uvicorn.protocols.http.flow_control import CLOSE_HEADER

from faultmaven.cli.arrivals import accept_arrived
from faultmaven.cli.collecting import Collecting
from faultmaven.cli.forwarded import Forwarded
from faultmaven.cli.hangup import in_terminal
from faultmaven.container import container

logger = logging.getLogger(__name__)

_SETTLING = 0.2  # seconds in which a connection taken last sends the request it was opened for


class _Config(uvicorn.Config):
    """The server's, with `Forwarded` in place of its own middleware for proxies' headers."""

    def load(self) -> None:
        """Called by the server before it starts."""
        super().load()
        self.loaded_app = Forwarded(self.loaded_app, trusted=self.forwarded_allow_ips)


class DrainingServer(uvicorn.Server):
    """Serves the application until a signal ends it.

    SIGTERM begins the drain; Ctrl-C at a terminal does not wait for load balancers, since there
    are none. A second signal skips what is left of the delay, a further Ctrl-C everything.
    """

    def __init__(self) -> None:
        super().__init__(
            _Config(
                "faultmaven.main:create_app",
                factory=True,
                log_config=None,
                access_log=False,
                server_header=False,
                http=_protocol(),
                ws="none",
                proxy_headers=False,  # see `_Config`
                workers=1,  # not what uvicorn itself reads of WEB_CONCURRENCY
            )
        )
        self._drained_at: float | None = None  # monotonic seconds
        self._collecting = Collecting()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets=sockets)
        _spare_the_collector()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, or go on to the next step of it."""
        if not self.started or self._drained_at is not None:
            super().handle_exit(sig, frame)
            return
        self._drained_at = time.monotonic() + self._delay(sig)
        # uvicorn raises it again in the end, for whoever was to hear of it before.
        self._captured_signals.append(sig)
        container.get_health_service().begin_drain()
        # Clients then open a new connection for the next request, which leads them elsewhere.
        self.config.encoded_headers.append(CLOSE_HEADER)
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE_HEADER]

    async def on_tick(self, counter: int) -> bool:
        """Whether serving is over; called ten times a second."""
        self._collecting.pace(len(self.server_state.tasks))
        if self._drained_at is not None and time.monotonic() >= self._drained_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and let end what is in flight, within the grace."""
        logger.info("Draining: %d connections are open", len(self.server_state.connections))
        arrived = accept_arrived(sockets or ())
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        await asyncio.gather(*map(self._serve_arrived, arrived))
        await asyncio.sleep(_SETTLING)
        grace = container.settings.grace_period
        self.config.timeout_graceful_shutdown = grace  # type: ignore[assignment]  # it waits any float
        await super().shutdown(sockets)

    async def _serve_arrived(self, connection: socket.socket) -> None:
        with suppress(OSError):  # whoever has left already misses nothing
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        """What serves a connection, as uvicorn makes it for those it accepts."""
        return self.config.http_protocol_class(
            config=self.config,  # type: ignore[call-arg]  # all of uvicorn's own take these
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )

    @staticmethod
    def _delay(sig: int) -> float:
        """Seconds for load balancers to see that they had better turn away."""
        if sig == signal.SIGINT and in_terminal():
            return 0
        return container.settings.drain_delay


def _protocol() -> type[asyncio.Protocol] | Literal["auto"]:
    """The fast parser's protocol, where there is a wheel of it for this machine."""
    try:
        from faultmaven.cli.doorway import DoorProtocol
    except ImportError:
        return "auto"
    return DoorProtocol


def _spare_the_collector() -> None:
    """Have the garbage collector look at what requests make, not at the program itself.

    The program's own objects never become garbage, and there are so many that looking at all of
    them stops the event loop for tens of milliseconds, over and over. Nor is it looked at before:
    a start leaves less than one object in a hundred behind, and finding those would take a tenth
    of its time.
    """
    gc.freeze()
    gc.enable()  # starting goes without it
