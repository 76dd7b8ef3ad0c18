"""One JSON object while it arrives: its fields, element by element (pure)."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX_DIGITS = 4
_OPENERS, _CLOSERS, _NO_VALUE = "{[", "}]", ",:]}"

_T = TypeVar("_T")
# Takes one character at each ``yield``.
_Reading = Generator[None, str, _T]


@dataclass(frozen=True, slots=True)
class Part:
    """The next part of one element.

    Attributes:
        field: name of the object's field, as it was written.
        place: which element of the field's list, from 0; 0 where it is no list.
        text: what was added to a string; empty for anything else.
        value: the whole element, once it has ended.
        ended: whether this is its last part.
    """

    field: str
    place: int
    text: str = ""
    value: Any = None
    ended: bool = False


class _NoJsonError(Exception):
    """What comes is no JSON; the rest cannot be read."""


class JsonFields:
    """Reads an object from its opening brace on, in pieces of any size.

    Strings are told as they grow, all else once it is whole. What follows the object is not
    looked at, nor is what follows a fault: it never raises. Linear in what it reads.
    """

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._fresh: list[str] = []
        self._field = ""
        self._place = 0
        self._over = False
        self._reading = self._object()
        next(self._reading)

    def feed(self, text: str) -> list[Part]:
        """The parts that this piece gives."""
        for char in text:
            if self._over:
                break
            self._read(char)
        if self._fresh:
            self._parts.append(Part(self._field, self._place, self._taken()))
        parts, self._parts = self._parts, []
        return parts

    def _read(self, char: str) -> None:
        try:
            self._reading.send(char)
        except (StopIteration, _NoJsonError):
            self._over = True

    def _object(self) -> _Reading[None]:
        if (yield from _visible()) != "{":
            raise _NoJsonError
        while (char := (yield from _visible())) != "}":
            if char == ",":
                continue
            if char != '"':
                raise _NoJsonError
            self._field = yield from _string(_unheard)
            if (yield from _visible()) != ":":
                raise _NoJsonError
            if (yield from self._content()) == "}":
                return

    def _content(self) -> _Reading[str]:
        """Read a field's value; gives the character after it if that had to be read."""
        self._place = 0
        char = yield from _visible()
        if char != "[":
            return (yield from self._element(char))
        while (char := (yield from _visible())) != "]":
            if char == ",":
                continue
            if (yield from self._element(char)) == "]":
                break
            self._place += 1
        return ""

    def _element(self, first: str) -> _Reading[str]:
        if first in _NO_VALUE:
            raise _NoJsonError
        after = ""
        value: Any
        if first == '"':
            value = yield from _string(self._fresh.append)
        elif first in _OPENERS:
            value = _loaded((yield from _nested(first)))
        else:
            raw, after = yield from _scalar(first)
            value = _loaded(raw)
        self._parts.append(Part(self._field, self._place, self._taken(), value, ended=True))
        return after

    def _taken(self) -> str:
        fresh = "".join(self._fresh)
        self._fresh.clear()
        return fresh


def _unheard(_piece: str) -> None:
    """Names are not told before they are whole."""


def _visible() -> _Reading[str]:
    """The next character that is no white space."""
    while (char := (yield)).isspace():
        pass
    return char


def _string(hear: Callable[[str], None]) -> _Reading[str]:
    """A string's text, from after its opening quote to its closing one; line breaks are let by."""
    whole: list[str] = []
    half = ""
    while (char := (yield)) != '"':
        text = half + (char if char != "\\" else (yield from _escaped()))
        half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        if not half:
            whole.append(text := _joined(text))
            hear(text)
    return "".join(whole)


def _escaped() -> _Reading[str]:
    """What an escape stands for; it may be half of a character."""
    char = yield
    if char != "u":
        return _ESCAPES.get(char, char)
    digits = ""
    for _ in range(_HEX_DIGITS):
        digits += yield
    try:
        return chr(int(digits, 16))
    except ValueError:
        raise _NoJsonError from None


def _joined(text: str) -> str:
    """The text with halves of characters joined; a half that stands alone is no character."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _nested(first: str) -> _Reading[str]:
    """The text of an object or list, its brackets included."""
    raw, depth, within, escaped = [first], 1, False, False
    while depth:
        raw.append(char := (yield))
        if within:
            within = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            within = True
        else:
            depth += (char in _OPENERS) - (char in _CLOSERS)
    return "".join(raw)


def _scalar(first: str) -> _Reading[tuple[str, str]]:
    """A number or word, and the character that ended it."""
    raw, char = [first], ""
    while (char := (yield)) not in ",]}" and not char.isspace():
        raw.append(char)
    return "".join(raw), char


def _loaded(raw: str) -> Any:
    """The value, or nothing where it is none."""
    try:
        return json.loads(raw, strict=False)
    except (ValueError, RecursionError):
        return None
