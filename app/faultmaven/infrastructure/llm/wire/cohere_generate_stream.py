"""The lines of Cohere's ``/v1/generate``: pieces of text, then the whole of it once more."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire.body import Count, Shape, Word, read
from faultmaven.infrastructure.llm.wire.errors import error_of, read_error
from faultmaven.infrastructure.llm.wire.failure import Failure
from faultmaven.infrastructure.llm.wire.finish import CONTENT_FILTER, STOP, finish_reason
from faultmaven.infrastructure.llm.wire.lenient import LenientObject, LenientObjects
from faultmaven.infrastructure.llm.wire.types import WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Delta

_OK = 200


class Generation(Shape):
    """One text, and why it ended."""

    text: str
    finish_reason: Word = ""


class _Units(Shape):
    read: Count = Field(default=0, alias="input_tokens")
    written: Count = Field(default=0, alias="output_tokens")


class Meta(Shape):
    """What is said beside the texts."""

    billed: LenientObject[_Units] = Field(default=_Units(), alias="billed_units")

    @property
    def usage(self) -> Usage:
        """Tokens that are billed."""
        return Usage(prompt=self.billed.read, completion=self.billed.written)


class _Whole(Shape):
    generations: LenientObjects[Generation] = ()
    meta: LenientObject[Meta] = Meta()


class _Line(Shape):
    kind: Word = Field(default="", alias="event_type")
    text: Word = ""
    is_finished: bool | None = None
    finish_reason: Word = ""
    error: Word = Field(default="", alias="err")
    whole: LenientObject[_Whole] = Field(default=_Whole(), alias="response")


class CohereGenerateReader:
    """Reads one stream's lines; the whole text at its end is read only where no piece came."""

    def __init__(self) -> None:
        self._has_text = False
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the line came that ends the stream."""
        return self._ended

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The piece of the answer in one line; what follows the end says nothing.

        Raises:
            ProviderError: the line is an error, or none of the format's.
        """
        if self._ended:
            return ()
        response = WireResponse(_OK, {}, event.data)
        line = read(response, _Line)
        if line.error or line.kind == "stream-error":
            raise _broken_off(line)
        # Older servers do not name their lines: those tell by `is_finished` alone.
        if line.kind == "stream-end" or line.is_finished:
            return (self._end(line),)
        if not line.kind and line.is_finished is None:
            raise read_error(response)
        self._has_text = self._has_text or bool(line.text)
        return (Delta(text=line.text),) if line.text else ()

    def _end(self, line: _Line) -> Delta:
        self._ended = True
        first = next(iter(line.whole.generations), Generation(text=""))
        return Delta(
            text="" if self._has_text else first.text,
            finish_reason=first.finish_reason or line.finish_reason or STOP,
            usage=line.whole.meta.usage,
        )


def _broken_off(line: _Line) -> ProviderError:
    """The error for what Cohere says went wrong while it wrote."""
    withheld = finish_reason(line.finish_reason) == CONTENT_FILTER
    words = (CONTENT_FILTER if withheld else "server_error",)
    return error_of(Failure(_OK, message=line.error, words=words, readable=True))
