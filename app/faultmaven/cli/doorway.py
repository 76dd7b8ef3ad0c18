"""The server's protocol, with a door: what a full service refuses never becomes a request."""

from __future__ import annotations

from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from faultmaven.cli.gathering import GatheringProtocol
from faultmaven.cli.glance import glance


class Door(Protocol):
    """Whoever refuses for want of room."""

    @property
    def is_shut(self) -> bool:
        """Whether anybody may be refused now."""
        ...

    def refusal(self, scope: Any) -> bytes | None:
        """What is answered at once with 503, from the first header on; ``None`` lets it in."""
        ...


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
    _in_message = False
    _head = 0  # bytes

    def on_message_begin(self) -> None:
        """Called by the parser with the first byte of a request."""
        self._in_head = self._in_message = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser with the last byte of a request's head."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Called by the parser with the last byte of a request."""
        self._in_message = False
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop; nobody may have it keep a head without an end."""
        door: Door | None = self.app_state.get("door")
        if door is not None and door.is_shut and self._refused_at_a_glance(door, data):
            return
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
        self._refuse(refusal)

    def _refusal(self, cycle: RequestResponseCycle) -> bytes | None:
        """Nothing where the usual way has more to do than to answer."""
        door: Door | None = self.app_state.get("door")
        # Every answer says so that is given before its request has all come.
        ending = not cycle.keep_alive or cycle.waiting_for_100_continue
        if door is None or ending or not self._goes_on():
            return None
        return door.refusal(cycle.scope)

    def _refused_at_a_glance(self, door: Door, data: bytes) -> bool:
        """Refuse a request that the parser need not see; ``False`` where it must."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        busy = self._in_message or (cycle is not None and not cycle.response_complete)
        asked = None if busy or not self._goes_on() else glance(data)
        if asked is None:
            return False
        asked["server"] = self.server
        refusal = door.refusal(asked)
        if refusal is not None:
            self._refuse(refusal)
        return refusal is not None

    def _goes_on(self) -> bool:
        """Whether nothing has to be waited for, nor every answer to say that the service drains."""
        drains = CLOSE_HEADER in self.server_state.default_headers
        return not (drains or self.pipeline or self.flow.write_paused)

    def _refuse(self, refusal: bytes) -> None:
        usual = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.gathering.write_at_once(b"".join((_UNAVAILABLE, *usual, refusal)))
        self.on_response_complete()
