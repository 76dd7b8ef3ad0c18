"""Identical requests that are in flight at the same time are asked once.

Whoever comes first has the question asked in a task of its own; whoever comes meanwhile waits for
the same answer. Nobody's leaving hurts the others, and when nobody waits any more the task is
cancelled. Nothing outlives the answer: this is no cache.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from copy import copy
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

from faultmaven.models.begun import begun
from faultmaven.models.live import Live, now
from faultmaven.models.time_limit import TimeLimits

Answer = TypeVar("Answer")
Ask = Callable[[float], Coroutine[Any, Any, Answer]]
"""Asks, within so many seconds."""

_GRACE = 0.05  # seconds past the end of its time in which a chain may say itself what happened
_EARLY = 0.05  # seconds before the end of its time at which a chain may have given up already


@dataclass(eq=False, slots=True)
class _Flight:
    """A question that is being asked.

    Attributes:
        fingerprint: by which it is known.
        until: when the time is up that its first caller gave, on the clock.
        waiting: is resolved for each caller who waits, as it ends.
        task: asks it.
    """

    fingerprint: bytes = field(repr=False)  # it may quote what its caller is known by
    until: float
    waiting: set[asyncio.Future[None]] = field(default_factory=set)
    task: asyncio.Task[Any] = field(init=False)


class SingleFlight:
    """Lets those who ask the same thing at the same time share one answer; one event loop's.

    Args:
        enabled: whether anybody shares anything.
        on_shared: told, in the context of a caller who joined somebody else's question, the
            seconds spent on waiting for it.
        monotonic: gives seconds that never go back.
    """

    def __init__(
        self,
        *,
        enabled: Live[bool] = True,
        on_shared: Callable[[float], object] = lambda _seconds: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enabled = enabled
        self._on_shared = on_shared
        self._monotonic = monotonic
        self._limits = TimeLimits()
        self._flights: dict[bytes, _Flight] = {}

    @property
    def in_flight(self) -> int:
        """How many questions are being asked."""
        return len(self._flights)

    async def share(self, fingerprint: bytes | None, ask: Ask[Answer], *, seconds: float) -> Answer:
        """What ``ask`` gives, or what it gave somebody who asked the same a little earlier.

        Args:
            fingerprint: tells the caller and all that shapes the answer from others; ``None``
                shares nothing.
            ask: asks.
            seconds: how long the caller can wait.

        Raises:
            TimeoutError: they have passed, and a moment more for who was asked to say so itself.
            Exception: what ``ask`` raised; who joined gets an object of their own.
        """
        with self._limits.within(seconds + _GRACE):
            if fingerprint is None or not now(self._enabled):
                return await ask(seconds)
            return await self._share(fingerprint, ask, seconds)

    async def _share(self, fingerprint: bytes, ask: Ask[Answer], seconds: float) -> Answer:
        until = self._monotonic() + seconds
        while flight := self._flights.get(fingerprint):
            await self._join(flight)
            if not self._gave_up_early(flight, until):
                shared: Answer = _outcome_for_another(flight.task)
                return shared
            seconds = until - self._monotonic()
        flight = self._begin(fingerprint, until, ask, seconds)
        try:
            await self._wait(flight)
            result: Answer = flight.task.result()
            return result
        finally:
            # Its failure knows this frame: only the garbage collector would part the two.
            del flight

    def forget(self) -> None:
        """Let nobody join what has begun so far; who waits for it already gets its answer."""
        self._flights.clear()

    def _begin(self, fingerprint: bytes, until: float, ask: Ask[Any], seconds: float) -> _Flight:
        flight = self._flights[fingerprint] = _Flight(fingerprint, until)
        flight.task = begun(self._fly(flight, ask, seconds))
        return flight

    async def _fly(self, flight: _Flight, ask: Ask[Answer], seconds: float) -> Answer:
        try:
            return await ask(seconds)
        finally:
            self._drop(flight)
            for ended in flight.waiting:
                if not ended.done():
                    ended.set_result(None)
            del flight  # its task keeps the failure, and that this frame

    async def _join(self, flight: _Flight) -> None:
        joined = self._monotonic()
        await self._wait(flight)
        self._on_shared(self._monotonic() - joined)

    async def _wait(self, flight: _Flight) -> None:
        """Wait until it has ended; the last one to leave before that ends it."""
        if flight.task.done():
            return
        ended = flight.task.get_loop().create_future()
        flight.waiting.add(ended)
        try:
            await ended
        except asyncio.CancelledError:
            flight.waiting.discard(ended)
            if not flight.waiting:
                await self._give_up(flight)
            raise

    async def _give_up(self, flight: _Flight) -> None:
        flight.task.add_done_callback(_unheard)
        if flight.task.cancel():
            self._drop(flight)
            await asyncio.wait((flight.task,))

    def _gave_up_early(self, flight: _Flight, until: float) -> bool:
        """Whether it failed for want of time, of which a caller until then has more."""
        if flight.task.cancelled() or flight.task.exception() is None:
            return False
        return min(self._monotonic(), until - _EARLY) > flight.until - _EARLY

    def _drop(self, flight: _Flight) -> None:
        if self._flights.get(flight.fingerprint) is flight:
            del self._flights[flight.fingerprint]


def narrowed(fingerprint: bytes | None, texts: Iterable[str]) -> bytes | None:
    """The fingerprint of a request whose answer these texts shape as well."""
    if fingerprint is None:
        return None
    digest = blake2b(b"%d:" % len(fingerprint), digest_size=16)
    digest.update(fingerprint)
    for text in texts:
        part = text.encode(errors="surrogatepass")
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def _unheard(task: asyncio.Task[Any]) -> None:
    """Look at its failure, if it has one, since nobody else does: that is no mishap."""
    if not task.cancelled():
        task.exception()


def _outcome_for_another(task: asyncio.Task[Any]) -> Any:
    """The result, or the failure as a new object: a raised one collects tracebacks."""
    failure = task.exception()
    if failure is None:
        return task.result()
    raise _copied(failure) from failure


def _copied(failure: BaseException) -> BaseException:
    try:
        return copy(failure)
    except TypeError:  # its class is made from other things than it remembers
        own = type(failure).__new__(type(failure), *failure.args)
        own.__dict__.update(failure.__dict__)
        return own
