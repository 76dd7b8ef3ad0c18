"""Hears a streamed answer during the drill."""

from __future__ import annotations

from dataclasses import dataclass, field

from faultmaven.models.attempt import Attempt
from faultmaven.models.stream import Beginning, Delta


@dataclass(slots=True)
class Ear:
    """A listener that reads as fast as it can.

    Attributes:
        provider: who began to answer, or ``None``.
        text: what was heard.
    """

    provider: str | None = field(default=None, init=False)
    text: str = field(default="", init=False)

    async def on_attempt(self, attempt: Attempt) -> None:
        """An attempt ended: the whole answer or the error tells of it, too."""

    async def on_begin(self, beginning: Beginning) -> None:
        """The answer begins."""
        self.provider = beginning.provider

    async def on_delta(self, delta: Delta) -> None:
        """The next piece of the answer."""
        self.text += delta.text
