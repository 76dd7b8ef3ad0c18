"""One provider's keys: asks with one after the other, and keeps all of them from being quoted."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from faultmaven.errors import (
    ProviderAuthError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.streaming import Ear
from faultmaven.infrastructure.llm.resilience.deadline import Clock
from faultmaven.infrastructure.llm.resilience.keys import KeyRing, seconds_aside
from faultmaven.infrastructure.llm.wire.types import Endpoint
from faultmaven.models.credentials import known_keys, remove_keys
from faultmaven.models.stream import Delta

logger = logging.getLogger(__name__)

T = TypeVar("T")

Question = Callable[[Endpoint], Awaitable[T]]
"""Asks once, as whom it is told."""

LiveQuestion = Callable[[Endpoint, Ear], Awaitable[T]]
"""Asks once, telling the ear of each piece."""


class Keys:
    """The keys of one provider, taken in turn; one that is refused or spent is left alone.

    Whoever asks bounds the time: a question is put once with each key at most. With a single key,
    or none, it is put once, and nothing is remembered.

    Args:
        config: where to ask, and with which keys.
        clock: monotonic seconds.

    Attributes:
        endpoints: where and as whom to ask, one for each key in the configured order.
    """

    def __init__(self, config: ProviderConfig, *, clock: Clock = time.monotonic) -> None:
        self._name = config.name
        self._secrets = config.all_keys
        self._known = known_keys(config.all_keys)
        self.endpoints = tuple(
            Endpoint(base_url=config.base_url, api_key=key, options=config.options)
            for key in self._secrets or (None,)
        )
        self._ring = KeyRing(len(self.endpoints), clock)

    def scrub(self, said: bytes) -> bytes:
        """What a server said, without any of the keys: some quote the one that they refuse."""
        for key in self._known:
            # In nearly all that is said there is none. Not ``in``, which tries the bytes as a
            # number first and drops the error.
            if said.find(key) >= 0:
                return remove_keys(said, self._known)
        return said

    async def ask(self, question: Question[T]) -> T:
        """The answer with the first key that is not at fault.

        Raises:
            ProviderError: another failure, or the last one of a key when every key is set aside.
        """
        if len(self.endpoints) == 1:
            return await question(self.endpoints[0])
        return await self._ask_in_turn(question, lambda: True)

    async def listen(self, question: LiveQuestion[T], ear: Ear) -> T:
        """As `ask`, as long as nothing of an answer was heard; what was cannot be taken back.

        Raises:
            ProviderError: as `ask`, or a failure after something was heard.
        """
        if len(self.endpoints) == 1:
            return await question(self.endpoints[0], ear)
        open_ear = _OpenEar(ear)
        return await self._ask_in_turn(
            lambda endpoint: question(endpoint, open_ear), lambda: not open_ear.heard
        )

    async def first_accepted(self, look: Question[T]) -> T:
        """What a free call shows with the first key that it accepts, the one in turn first.

        No key is set aside for it: one that may not list models may still be good for answers.

        Raises:
            ProviderError: another failure, or that of the last key if none is accepted.
        """
        places = self._ring.in_turn()
        *others, last = sorted(places, key=self._ring.is_aside)
        for place in others:
            with suppress(ProviderAuthError, QuotaExceededError, RateLimitedError):
                return await look(self.endpoints[place])
        return await look(self.endpoints[last])

    async def _ask_in_turn(self, question: Question[T], may_repeat: Callable[[], bool]) -> T:
        place, tried = self._ring.take(), set[int]()
        while True:
            was_aside = self._ring.is_aside(place)
            try:
                answer = await question(self.endpoints[place])
            except ProviderError as error:
                if not self._is_set_aside(place, error):
                    raise
                tried.add(place)
                following = self._ring.another(tried) if may_repeat() else None
                if following is None:
                    self._date(error)
                    raise
                place = following
            else:
                if was_aside:
                    self._ring.restore(place)
                return answer

    def _is_set_aside(self, place: int, error: ProviderError) -> bool:
        """Leave the key alone if the failure is its own; said once, not for each request."""
        seconds = seconds_aside(error)
        if seconds is None:
            return False
        if not self._ring.is_aside(place):
            logger.warning(
                "Provider '%s': key %d of %d is set aside for %.0f s (%s)",
                *(self._name, place + 1, len(self.endpoints), seconds, error.error_class.value),
            )
        self._ring.set_aside(place, seconds)
        return True

    def _date(self, error: ProviderError) -> None:
        """Have a failure say when the first of the keys is back, not when its own is."""
        if not isinstance(error, ProviderAuthError):
            error.retry_after = self._ring.wait()


@dataclass(slots=True)
class _OpenEar:
    """An ear that knows whether it has heard anything.

    Attributes:
        ear: who listens.
        heard: whether it was told a part of an answer, thoughts included.
    """

    ear: Ear
    heard: bool = False

    def opened(self) -> None:
        """The head of the answer is there."""
        self.ear.opened()

    async def hear(self, delta: Delta) -> None:
        """The next piece; book-keeping is no part of an answer."""
        if delta.text or delta.reasoning or delta.tool_calls or delta.thought:
            self.heard = True
        await self.ear.hear(delta)

    def grace(self, seconds: float) -> float:
        """As whoever listens says."""
        return self.ear.grace(seconds)
