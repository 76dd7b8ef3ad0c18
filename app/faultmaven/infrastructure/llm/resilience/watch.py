"""How long a streamed answer may keep us waiting: for its first token, between two, in all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from faultmaven.errors import ProviderTimeoutError
from faultmaven.models.value import value


@value
class StreamLimits:
    """What a streamed answer is given, in seconds.

    Attributes:
        first: until its first token, thoughts included.
        silence: between two tokens.
        whole: until its end, as long as nobody has begun to read it.
        begun: until its end, once somebody has.
    """

    first: float
    silence: float
    whole: float
    begun: float


@dataclass(slots=True)
class Watch:
    """Ends the block it guards when the stream in it has nothing to say for too long.

    Only noting the time is left to each token; a single timer looks at it now and then.

    Attributes:
        limits: what is allowed.
        begun: whether somebody reads the answer already.
        held_up: whether its reader, not the provider, keeps it waiting at the moment.
        over: whether all was said, so that whoever reads on bounds the time themselves.
    """

    limits: StreamLimits
    begun: bool = False
    held_up: bool = False
    over: bool = False
    _timeout: asyncio.Timeout = field(init=False)
    _now: Callable[[], float] = field(init=False)  # the event loop's seconds
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _started: float = field(default=0.0, init=False)
    _heard: float | None = field(default=None, init=False)
    _verdict: str = field(default="", init=False)

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        self._now = asyncio.get_running_loop().time
        self._started = self._now()
        self._timeout = asyncio.timeout(None)
        await self._timeout.__aenter__()
        self._look()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching.

        Raises:
            ProviderTimeoutError: the watch ended the block; the message says over what.
        """
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as timeout:
            raise ProviderTimeoutError(self._verdict) from timeout

    def heard(self) -> None:
        """A token came, or its reader has taken it."""
        first = self._heard is None
        self._heard = self._now()
        if first:  # from now on patience is another, maybe a shorter one
            self._look()

    def left(self) -> float:
        """Seconds until the whole must be over; 0 once it is late."""
        return max(0.0, self._started + self._whole - self._now())

    @property
    def _whole(self) -> float:
        return self.limits.begun if self.begun else self.limits.whole

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        due, verdict = self._due(loop.time())
        if self._timer is not None:
            self._timer.cancel()
        if due <= loop.time():
            self._verdict = verdict
            self._timeout.reschedule(loop.time())
        else:
            self._timer = loop.call_at(due, self._look)

    def _due(self, now: float) -> tuple[float, str]:
        """When patience ends, as things are, and what is to be said then."""
        limits, whole = self.limits, self._whole
        if self.over:
            return now + limits.silence, ""
        what = "end of the answer" if self.begun else "answer"
        end = self._started + whole, f"no {what} within {whole:.1f} s"
        if self.held_up:
            pause = now + limits.silence, "the answer was not read in time"
        elif self._heard is None:
            pause = self._started + limits.first, f"no first token within {limits.first:.1f} s"
        else:
            message = f"the answer stopped: no token for {limits.silence:.1f} s"
            pause = self._heard + limits.silence, message
        return min(end, pause)
