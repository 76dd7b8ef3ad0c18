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
_MOST_OF_A_HEAD = 64 * 1024  # bytes, beside what came with the last of it; others allow 8 to 64 KB
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 38\r\nconnection: close\r\n\r\n"
    b"The head of the request is too large.\n"
)


class DoorProtocol(GatheringProtocol):
    """Asks the application at the door, and answers there and then what it refuses.

    Then neither does a refusal wait until everything is done that came before it, nor a probe
    until hundreds of refusals have been passed on from layer to layer.
    """

    _in_head = False
    _head = 0  # bytes

    def on_message_begin(self) -> None:
        """Called by the parser with the first byte of a request."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser with the last byte of a request's head."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop; nobody may have it keep a head without an end."""
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > _MOST_OF_A_HEAD and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

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
