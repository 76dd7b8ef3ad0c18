"""Telling the observers of one attempt, so that whoever heard of its start hears of its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import IAnswerObserver


@dataclass(slots=True)
class Telling:
    """One attempt, as the observers are told of it: each hears one start and one end.

    Attributes:
        observers: who is told.
        provider: who is asked.
    """

    observers: Sequence[IAnswerObserver]
    provider: str
    _begun: int = field(default=0, init=False)  # how many have heard of the start
    _ended: int = field(default=0, init=False)  # and how many of them of the end

    def start(self) -> None:
        """The attempt begins."""
        for observer in self.observers:
            observer.on_start(self.provider)
            self._begun += 1

    def end(self, attempt: Attempt) -> None:
        """The attempt ended, well or not."""
        while self._ended < self._begun:
            self._ended += 1
            self.observers[self._ended - 1].on_attempt(attempt)

    def cancel(self) -> None:
        """Nothing can be said of the attempt; whoever knows of its end already is left alone."""
        while self._ended < self._begun:
            self._ended += 1
            self.observers[self._ended - 1].on_cancel(self.provider)
