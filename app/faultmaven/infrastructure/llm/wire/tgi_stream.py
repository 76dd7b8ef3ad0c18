"""The events of Text Generation Inference: a token each, and in the last the whole text too.

https://huggingface.co/docs/text-generation-inference/conceptual/streaming
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import AliasChoices, Field, model_validator

from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.failure import ErrorField
from faultmaven.infrastructure.llm.wire.finish import STOP
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.types import WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Delta

_OK = 200


class Details(Shape):
    """Why the text ended, and what it took."""

    finish_reason: Word = ""
    read: Count = Field(default=0, validation_alias=AliasChoices("prompt_tokens", "input_length"))
    written: Count = Field(default=0, validation_alias="generated_tokens")

    @property
    def usage(self) -> Usage:
        """Tokens spent."""
        return Usage(prompt=self.read, completion=self.written)


class _Token(Shape):
    text: Word = ""
    special: bool = False


class _Event(Shape):
    error: ErrorField = None
    token: LenientObject[_Token] = _Token()
    whole: str | None = Field(default=None, alias="generated_text")
    details: LenientObject[Details] = Details()

    @model_validator(mode="before")
    @classmethod
    def _first_of_list(cls, value: object) -> object:
        """Endpoints may wrap an event in a list of one."""
        return value[0] if isinstance(value, list) and value else value


class TgiReader:
    """Reads one stream's events; the whole text is read only where no token came before it."""

    def __init__(self) -> None:
        self._has_text = False
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the event came that holds the whole text."""
        return self._ended

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The piece of the answer in one event; what follows the end says nothing.

        Raises:
            ProviderError: the event is an error, or none of the format's.
        """
        if self._ended:
            return ()
        response = WireResponse(_OK, {}, event.data)
        body = read(response, _Event)
        if body.error is not None:
            raise read_error(response)
        delta = self._delta(body)
        return () if delta == Delta() else (delta,)

    def _delta(self, event: _Event) -> Delta:
        text = "" if event.token.special else event.token.text
        if event.whole is None:
            self._has_text = self._has_text or bool(text)
            return Delta(text=text)
        self._ended = True
        return Delta(
            text=text if self._has_text else event.whole,
            finish_reason=event.details.finish_reason or STOP,
            usage=event.details.usage,
        )
