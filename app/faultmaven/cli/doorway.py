"""The server's protocol, with a door: what a full service refuses never becomes a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from faultmaven.cli.gathering import GatheringProtocol

Refusal = Callable[[Any], bytes | None]
"""Told a request's scope, gives what is answered at once with 503, from the first header on."""

_UNAVAILABLE = STATUS_LINE[503]


class DoorProtocol(GatheringProtocol):
    """Asks the application at the door, and answers there and then what it refuses.

    Then neither does a refusal wait until everything is done that came before it, nor a probe
    until hundreds of refusals have been passed on from layer to layer.
    """

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by the parser with each request's head, or when the request before it is done."""
        refusal = self._refusal(cycle)
        if refusal is None:
            # A refusal in the same packet has begun to count how long nothing comes.
            self._unset_keepalive_if_required()
            super()._start_asgi_task(cycle, app)
            return
        cycle.response_started = cycle.response_complete = True
        usual = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.gathering.write_at_once(b"".join((_UNAVAILABLE, *usual, refusal)))
        self.on_response_complete()

    def _refusal(self, cycle: RequestResponseCycle) -> bytes | None:
        """Nothing where the usual way has more to do than to answer."""
        ask: Refusal | None = self.app_state.get("refusal")
        # Every answer says so once the service drains, and one that is given before its request
        # has all come.
        ending = not cycle.keep_alive or CLOSE_HEADER in self.server_state.default_headers
        ending = ending or cycle.waiting_for_100_continue
        if ask is None or ending or self.pipeline or self.flow.write_paused:
            return None
        return ask(cycle.scope)
