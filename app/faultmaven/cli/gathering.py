"""What is written in one turn of the event loop leaves together.

Each write is a system call, and on the other side a wake-up: for a short answer that is a good
part of what it costs to serve it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from faultmaven.cli.replying import Replying
from faultmaven.models.arrival import ARRIVED
from faultmaven.models.begun import begun
from faultmaven.models.departure import TELL
from faultmaven.models.shared_timer import SharedTimer

_FEW = 2  # requests in flight, with which nothing is gained by waiting for what else is written
_LOOK = 0.1  # seconds between two looks at connections that wait for a request
_timers: WeakKeyDictionary[ServerState, SharedTimer] = WeakKeyDictionary()


class Idleness:
    """The time in which nothing comes on a connection, and at whose end it is closed.

    The server sets a timer for it with each answer, and takes it away with the next request. All
    connections share one here.

    Args:
        protocol: of the connection.

    Attributes:
        due: when it is to be closed, on the monotonic clock.
    """

    __slots__ = ("_protocol", "_timer", "due")

    def __init__(self, protocol: GatheringProtocol, timer: SharedTimer) -> None:
        self._protocol = protocol
        self._timer = timer
        self.due = 0.0

    def begin(self) -> None:
        """Nothing is under way."""
        self.due = time.monotonic() + self._protocol.timeout_keep_alive
        self._timer.watch(self)

    def cancel(self) -> None:
        """Something came."""
        self._timer.waits.discard(self)

    def end(self) -> None:
        """Nothing came for too long."""
        self._protocol.timeout_keep_alive_handler()


def _timer_of(server: ServerState, loop: asyncio.AbstractEventLoop) -> SharedTimer:
    """The one of all connections of a server."""
    timer = _timers.get(server)
    if timer is None:
        timer = _timers[server] = SharedTimer(loop, rest=_LOOK)
    return timer


def _told_at_once(whom: Callable[[], object] | None) -> None:
    """See `Tell`: the caller has left already."""
    if whom is not None:
        asyncio.get_running_loop().call_soon(whom)


class GatheringProtocol(HttpToolsProtocol):
    """Speaks HTTP as the server's own protocol does, through a `Gathering` transport.

    Attributes:
        gathering: that transport, once the connection is made.
    """

    gathering: Gathering

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server has it
        """Called by the event loop."""
        self.gathering = Gathering(transport, self.loop, self.tasks)
        self._idleness = Idleness(self, _timer_of(self.server_state, self.loop))
        self._whom: Callable[[], object] | None = None
        self._answered: RequestResponseCycle | None = None  # now; others may wait behind it
        self._reading = False
        self._to_begin: tuple[RequestResponseCycle, Replying] | None = None
        super().connection_made(self.gathering)  # type: ignore[arg-type]  # one in all that is used

    def data_received(self, data: bytes) -> None:
        """Called by the event loop.

        Whatever comes ends the time that a connection may be idle. It begins anew here where what
        came was not the next request, but the rest of one that is answered already.
        """
        self._reading = True
        super().data_received(data)
        self._reading = False
        if self._to_begin is not None:
            self._begin(*self._to_begin)
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        answered = cycle is not None and cycle.response_complete
        if answered and self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # the server itself does not where it was broken off
        self._told()
        answered = self._answered
        if answered is not None and not answered.response_complete:
            answered.disconnected = True  # the server tells the last that came
            answered.message_event.set()
            answered.scope[TELL] = _told_at_once  # type: ignore[literal-required]  # ours
        # They know the connection, and it them: only the garbage collector would find out that
        # nobody else does, and its looks take longer the more there is.
        self.cycle = self.scope = self._answered = None  # type: ignore[assignment]  # as at first
        self.pipeline.clear()
        del self._idleness

    def tell_of_departure(self, whom: Callable[[], object] | None) -> None:
        """See `Tell`: one request is answered at a time, and only its answer is given up."""
        self._whom = whom
        if whom is None:
            return
        self.flow.resume_reading()  # whoever does not read sees no end

    def _told(self) -> None:
        whom, self._whom = self._whom, None
        if whom is not None:
            whom()

    def on_response_complete(self) -> None:
        """Called when an answer is complete: goes on as the server's own does."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._rest()

    def _rest(self) -> None:
        self._idleness.begin()
        self.timeout_keep_alive_task = self._idleness  # type: ignore[assignment]  # it is cancelled, no more

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by the parser with each request's head, or when the request before it is done."""
        self._answered = cycle
        cycle.scope[TELL] = self.tell_of_departure  # type: ignore[literal-required]  # an addition of ours
        answered = Replying(app, cycle)
        if self._reading:  # what came of its body is to be there when it begins
            self._to_begin = cycle, answered
        else:
            super()._start_asgi_task(cycle, answered)  # type: ignore[arg-type]  # in Starlette's words

    def _begin(self, cycle: RequestResponseCycle, answered: Replying) -> None:
        """Answer a request as the server does, but without waiting for the next turn to begin."""
        self._to_begin = None
        if not cycle.more_body:
            cycle.scope[ARRIVED] = True  # type: ignore[literal-required]  # an addition of ours
        task = begun(cycle.run_asgi(answered))  # type: ignore[arg-type]  # as above
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)


class Gathering:
    """A transport that passes on at once what is written in one turn of the event loop.

    It has what the server uses of one. Passing on whatever name it is asked for would make asking
    for its own several times as dear.

    Args:
        transport: what really sends.
        loop: whose turns count.
        in_flight: what is being answered; while that is little, everything is sent as it comes.
    """

    __slots__ = ("_in_flight", "_loop", "_transport", "_written")

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        in_flight: Collection[object],
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._in_flight = in_flight
        self._written: list[bytes] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the transport has it."""
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have somebody else told of what comes."""
        self._transport.set_protocol(protocol)

    def pause_reading(self) -> None:
        """Have nobody told of what comes, until reading is resumed."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Have the protocol told of what comes again."""
        self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send, together with what follows in this turn."""
        if len(self._in_flight) <= _FEW:
            self.write_at_once(data)
            return
        if not self._written:
            self._loop.call_soon(self._pass_on)
        self._written.append(data)

    def write_at_once(self, data: bytes) -> None:
        """Send, after what was written before it, and wait for nothing more."""
        self._written.append(data)
        self._pass_on()

    def close(self) -> None:
        """Send what is left, and close."""
        self._pass_on()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def _pass_on(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))
