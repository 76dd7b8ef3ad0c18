"""Between the chain and whoever listens: what the model writes, as a person reads it."""

from __future__ import annotations

from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import IAnswerListener, LLMResponse
from faultmaven.models.stream import Beginning, Delta
from faultmaven.services.inquiry import Inquiry, Reading
from faultmaven.services.large_texts import worked
from faultmaven.services.live_text import LiveText


class LiveAnswer:
    """An `IAnswerListener` that passes on readable text, and nothing but text.

    Args:
        listener: whom to pass it on to.
        inquiry: the question that is being answered.
    """

    def __init__(self, listener: IAnswerListener, inquiry: Inquiry) -> None:
        self._listener = listener
        self._text = LiveText(inquiry)
        self._chars = inquiry.material_chars
        self._begun = False

    async def on_attempt(self, attempt: Attempt) -> None:
        """Pass it on."""
        await self._listener.on_attempt(attempt)

    async def on_begin(self, beginning: Beginning) -> None:
        """Pass it on."""
        self._begun = True
        await self._listener.on_begin(beginning)

    async def on_delta(self, delta: Delta) -> None:
        """Pass on what a person reads of it."""
        if delta.text:
            # Quotes are looked up in all that was sent, as they come.
            await self._tell(await worked(self._chars, self._text.feed, delta.text))

    async def finish(self, reading: Reading, llm: LLMResponse) -> None:
        """Tell what is still missing, all of it where nothing was heard on the way."""
        if not self._begun:
            await self.on_begin(Beginning(llm.provider, llm.model, llm.attempts[:-1]))
        end = await worked(self._chars, self._text.end)
        await self._tell(end + self._text.rest(reading.diagnosis, reading.evidence))

    async def _tell(self, text: str) -> None:
        if text:
            await self._listener.on_delta(Delta(text=text))
