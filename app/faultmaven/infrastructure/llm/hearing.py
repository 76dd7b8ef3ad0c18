"""One attempt's answer on its way to whoever listens: held back until its first content."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from faultmaven.errors import AnswerCutError
from faultmaven.infrastructure.llm.resilience.watch import Watch
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Beginning, Delta, IAnswerListener

_LEAST = 0.1  # seconds: what happened at the last moment is told too


@dataclass(slots=True)
class Hearing:
    """Hears one attempt for a listener, as an `Ear`.

    Thoughts and blanks that come before the first content are held back: until then the
    chain may still go to another provider, and nothing that was passed on can be taken back.

    Attributes:
        listener: whom it is passed on to.
        begin: given the milliseconds to the first content, says what the listener is told first;
            raises `asyncio.CancelledError` where another attempt is being listened to already.
        watch: what bounds the time.
        clock: monotonic seconds.
        began: whether anything has been passed on, so that nobody else can be asked.
        connect_ms: milliseconds to the head of the answer, or ``None``.
        first_token_ms: milliseconds to its first content, or ``None``.
        usage: tokens spent, as far as was heard, also of an answer that then fails.
        cost_usd: their price, or ``None``.
    """

    listener: IAnswerListener
    begin: Callable[[float], Beginning]
    watch: Watch
    clock: Callable[[], float] = time.monotonic
    began: bool = False
    connect_ms: float | None = None
    first_token_ms: float | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    _held: list[Delta] = field(default_factory=list, init=False)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._started = self.clock()

    def opened(self) -> None:
        """The head of the answer is there."""
        self.connect_ms = self._elapsed_ms

    async def hear(self, delta: Delta) -> None:
        """Pass a piece on, or hold it back; book-keeping is for us alone."""
        if delta.usage is not None:
            self.usage = delta.usage
        if delta.cost_usd is not None:
            self.cost_usd = delta.cost_usd
        if not (delta.text or delta.reasoning or delta.tool_calls or delta.thought):
            return
        self.watch.over = False
        if self.began:
            watch = self.watch
            watch.held_up = True  # a slow reader is not the provider's silence
            await self.listener.on_delta(delta)
            watch.held_up = False
            watch.heard()
            return
        self.watch.heard()
        if delta.has_content:
            await self._begin(delta)
        elif delta.reasoning or delta.thought:
            # Its books are kept already; told again with it, they would overwrite newer ones.
            self._held.append(replace(delta, text="", usage=None, cost_usd=None))

    def end(self) -> None:
        """Nobody is told of a beginning any more: what there is to it may know this hearing."""
        del self.begin

    def grace(self, seconds: float) -> float:
        """All was said: how long to wait for what may follow, within what the whole may take."""
        self.watch.over = True
        return min(seconds, self.watch.left())

    async def _begin(self, delta: Delta) -> None:
        elapsed = self._elapsed_ms
        beginning = self.begin(elapsed)
        self.began = self.watch.begun = True
        self.first_token_ms = elapsed
        self.watch.held_up = True
        await self.listener.on_begin(beginning)
        held, self._held = self._held, []
        for piece in (*held, replace(delta, text=delta.text.lstrip())):
            await self.hear(piece)

    @property
    def _elapsed_ms(self) -> float:
        return (self.clock() - self._started) * 1000


async def tell(telling: Awaitable[None], *, seconds: float) -> None:
    """Tell a listener something that no provider waits for.

    Args:
        telling: what they are told.
        seconds: until they are taken to have stopped reading.

    Raises:
        AnswerCutError: they have.
    """
    try:
        async with asyncio.timeout(max(seconds, _LEAST)):
            await telling
    except TimeoutError as error:
        raise AnswerCutError("The answer broke off: it was not read in time") from error
