"""One connection to an upstream: one exchange at a time, never two."""

from __future__ import annotations

import asyncio
import select
import ssl
import threading
from collections.abc import Callable
from typing import TypeAlias, cast

from faultmaven.errors import ProviderConnectionError, ProviderError
from faultmaven.infrastructure.llm.transport import failures
from faultmaven.infrastructure.llm.transport.address import Origin
from faultmaven.infrastructure.llm.transport.answer import Answer, MalformedAnswerError

_ROOM = 512 * 1024  # bytes that may wait for a slow reader before the upstream is held up
_SCRATCH = 64 * 1024  # bytes read at most at once; a TLS record holds 16 KiB
_SMALL = 64 * 1024  # bytes that are cheaper to copy than to send apart from the head


Wake: TypeAlias = Callable[[asyncio.Future[None]], None]
"""Has whoever waits for a future that is not done go on, sooner or later."""

_threads = threading.local()


def _scratch_of_this_thread() -> memoryview:
    """Where all connections of a thread's event loop read into, as it reads one at a time.

    Without it, uvloop maps and unmaps a quarter of a megabyte for each piece that comes by TLS.
    """
    if not hasattr(_threads, "scratch"):
        _threads.scratch = memoryview(bytearray(_SCRATCH))
    scratch: memoryview = _threads.scratch
    return scratch


def _at_once(waiter: asyncio.Future[None]) -> None:
    waiter.set_result(None)


class Connection(asyncio.BufferedProtocol):
    """A connection, from connecting to its end.

    Nothing here waits while tidying up: whoever leaves calls `abort`, and it is closed.

    Args:
        origin: where it leads.
        on_end: told once when it has ended, for whatever reason.

    Attributes:
        answer: what came in the last exchange; there is none before the connection is made.
        exchange: which one that is, for who reads it by pieces.
        given: seconds that the exchange had when nothing was done yet.
        due: when they are over, on the monotonic clock.
        idle_since: time of the event loop when the last one was over.
        wake: has whoever waits for news go on, at once unless somebody else sees to it.
    """

    answer: Answer

    def __init__(self, origin: Origin, on_end: Callable[[Connection], None]) -> None:
        self.origin = origin
        self.given = self.due = 0.0
        self.idle_since = 0.0
        self.exchange = 0
        self.wake: Wake = _at_once
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._failure: ProviderError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._called: asyncio.Future[None] | None = None
        self._held_up = False
        self._aborted = False
        self._poll = select.poll()
        self._scratch = _scratch_of_this_thread()

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self._transport is not None

    def is_reusable(self) -> bool:
        """Whether the last exchange left it fit for another."""
        transport = self._transport
        if transport is None or transport.is_closing() or not self.answer.reusable:
            return False
        settled = self._failure is None and not self._held_up
        return settled and transport.get_write_buffer_size() == 0

    def is_silent(self) -> bool:
        """Whether nothing waits to be read: what an idle server has to say is its farewell."""
        return not self._poll.poll(0)

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from here on, with the server that is vouched for as ``host``.

        Raises:
            OSError: that did not come about; `ssl.SSLError` is one.
        """
        if self._transport is None:
            raise ConnectionResetError
        self.answer.release()
        self.answer = Answer()  # a proxy's agreement to a tunnel has no end of its own
        self._transport = await self._loop.start_tls(
            self._transport, self, context, server_hostname=host
        )

    def send(self, head: bytes, body: bytes, *, at_once: bool = True) -> None:
        """Begin an exchange; else at the end of this turn of the event loop."""
        self.answer.restart()
        transport = self._transport
        if transport is None:
            return
        if len(body) > _SMALL:
            transport.writelines((head, body))
        elif at_once:
            self._write(transport, head + body)
        else:
            # Each write may have to wake its reader. Those that end a turn together find readers
            # awake whom the first one woke.
            self._loop.call_soon(self._write, transport, head + body)

    def _write(self, transport: asyncio.Transport, data: bytes) -> None:
        if transport is self._transport and not transport.is_closing():
            transport.write(data)

    async def head(self) -> Answer:
        """The answer, as soon as its head is there.

        Raises:
            ProviderError: none came.
        """
        while not self.answer.begun:
            await self._news()
        return self.answer

    async def piece(self, exchange: int) -> bytes | None:
        """The next piece of the answer's body; ``None`` at its end.

        Args:
            exchange: the one that is asked for: the connection may carry somebody else's by now.

        Raises:
            ProviderError: it was cut, or its reader has left it.
        """
        answer = self.answer
        while exchange == self.exchange:
            if answer.buffered or answer.complete:
                piece = answer.take()
                if self._held_up and answer.buffered < _ROOM:
                    self._hold_up(held_up=False)
                return piece
            await self._news()
        raise ProviderConnectionError(failures.LEFT)

    async def body(self) -> bytes:
        """All of the answer's body, as it came.

        Raises:
            ProviderError: it was cut, or is larger than any answer is.
        """
        parts: list[bytes] = []
        answer, size = self.answer, 0
        while True:
            complete = answer.complete
            if complete or self._held_up:  # until then it can wait where it is
                parts.append(answer.take_all())
                size += len(parts[-1])
                if size > failures.MAX_BODY:
                    raise failures.too_large(answer.status)
            if complete:
                return b"".join(parts)
            if self._held_up:
                self._hold_up(held_up=False)
            await self._news()

    def finish(self) -> None:
        """The exchange's reader leaves it: what it did not read by now is nobody's."""
        self.exchange += 1

    def end(self) -> None:
        """The exchange was given so much time, and it is over."""
        self.fail(failures.no_answer(self.given))

    def fail(self, failure: ProviderError) -> None:
        """End the exchange, and the connection with it."""
        if self._failure is None:
            self._failure = failure
        self.abort()
        self._wake()

    def abort(self) -> None:
        """Close at once; what did not come by now is not to come."""
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self.answer = Answer()  # it is let go of when the connection ends, so no sooner
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by the event loop, which reads into it."""
        del sizehint
        return self._scratch

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the event loop, at once after it has read."""
        answer = self.answer
        try:
            answer.feed(self._scratch[:nbytes])
        except MalformedAnswerError:
            self.fail(failures.not_http())
            return
        if answer.buffered > _ROOM and not self._held_up:
            self._hold_up(held_up=True)
        waiter = self._waiter
        if waiter is not None and waiter is not self._called and not waiter.done():
            self._called = waiter  # once: it may have to wait for its turn
            self.wake(waiter)

    def eof_received(self) -> bool:
        """Called by the event loop; the connection closes by itself then."""
        self._ended(failures.CUT, clean=True)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._ended(failures.CUT if exc is None else failures.LOST, clean=exc is None)
        self._transport = None
        self._on_end(self)
        self.answer.release()

    def _ended(self, message: str, *, clean: bool) -> None:
        if clean and not self._aborted:
            self.answer.end()
        if not self.answer.complete and self._failure is None:
            self._failure = ProviderConnectionError(message)
        self._wake()

    def _news(self) -> asyncio.Future[None]:
        """What to wait for until something came.

        Raises:
            ProviderError: nothing can come any more.
            RuntimeError: somebody else waits for the same.
        """
        if self._failure is not None:
            raise self._failure
        if self._waiter is not None and not self._waiter.done():
            raise RuntimeError("two cannot read one answer")
        self._waiter = self._loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            _at_once(self._waiter)

    def _hold_up(self, *, held_up: bool) -> None:
        self._held_up = held_up
        if self._transport is None or self._transport.is_closing():
            return
        if held_up:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
