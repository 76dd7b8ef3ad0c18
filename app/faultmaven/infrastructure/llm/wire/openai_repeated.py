"""Events of a chat stream that differ in their text alone: nearly all that a server sends.

One of them is read, and it is found out where in its bytes the text stands. Another one with the
same bytes before and behind holds another JSON string in that place, and so says the same but for
that string: which is all that has to be read of it.
"""

from __future__ import annotations

import re

from faultmaven.infrastructure.llm.wire.openai_plain import plain_text
from faultmaven.models.json_text import read_json

_LESSONS = 4  # learned in vain, until it is clear that each event of the stream is another one
_LONGEST = 16 * 1024  # bytes; a longer event is read as it is: it is none of thousands
# Possessive: what it passed over is not gone back to, so that no place in it is remembered.
_TEXT = re.compile(rb'"content"\s*:\s*("[^"\\]*+(?:\\.[^"\\]*+)*+")')
_OTHER_TEXTS = ("one", "another")


class RepeatedEvent:
    """Reads events that repeat an earlier one of their stream, with another text.

    Attributes:
        model: the model that the event names, or an empty text.
    """

    def __init__(self) -> None:
        self.model = ""
        self._before = self._behind = b"-"  # nothing begins and ends like this
        self._begin = self._end = 1
        self._lessons = _LESSONS

    def text(self, data: bytes) -> str:
        """The text of an event that repeats the one learned; empty where it does not."""
        if data[: self._begin] != self._before or data[self._end :] != self._behind:
            return ""
        try:
            text = read_json(data[self._begin : self._end])
        except ValueError:
            return ""
        self._lessons = _LESSONS
        return text if type(text) is str else ""

    def learn(self, data: bytes, model: str) -> None:
        """Have this plain event, which names ``model``, be the one that is repeated."""
        place = _TEXT.search(data) if self._lessons and len(data) <= _LONGEST else None
        if place is None:
            return
        self._lessons -= 1
        before, behind = data[: place.start(1)], data[place.end(1) :]
        # Only if both are read there is it that text which is read, and not another one like it.
        for text in _OTHER_TEXTS:
            if plain_text(b'%b"%b"%b' % (before, text.encode(), behind)) != (text, model):
                return
        self.model = model
        self._before, self._behind = before, behind
        self._begin, self._end = len(before), -len(behind)
