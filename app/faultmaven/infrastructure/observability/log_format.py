"""How a line is written: for a person, or one JSON object per line; never a credential."""

from __future__ import annotations

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from faultmaven.infrastructure.observability.request import current_request
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.json_text import json_bytes

Fields = Callable[[], Mapping[str, object]]
"""Works out what a machine is told of an event, for where one reads the log."""

_traceback_writer = logging.Formatter()
# A few texts, in line after line.
_RECURRING = frozenset({"event", "method", "route", "path", "provider", "model", "outcome"})
_AS_THEY_ARE = frozenset({int, bool, type(None)})
_WORDS_KNOWN = 512  # texts whose masking is remembered
# A message with a line break must not forge a line of its own: what follows is set in.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))} | {
    ord("\n"): "\n    ",
    ord("\r"): "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class LineFormatter(logging.Formatter, ABC):
    """Writes records of the logging module, and events that never become one."""

    @abstractmethod
    def event(self, name: str, level: int, sentence: str, fields: Fields) -> str:
        """The line of an event, as that of its record would be.

        Args:
            name: the logger's.
            level: as the logging module has it.
            sentence: the event for a person; masked.
            fields: the event for a machine.
        """


class ConsoleFormatter(LineFormatter):
    """Lines for a person.

    What happened to a request begins with the time; other information is the bare message, so
    that the start-up lines stand as they are; from warning on the level comes first.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The first line of a record, then its traceback."""
        message, trace = _levelled(record.levelno, _message(record)), _trace(record)
        if _fields(record):
            message = _timed(record.created, message)
        return f"{message}\n    {trace.translate(_ESCAPES)}" if trace else message

    def event(self, name: str, level: int, sentence: str, fields: Fields) -> str:  # noqa: ARG002 - a person is told the sentence alone
        """The sentence, with its time and its request."""
        return _timed(time.time(), _levelled(level, sentence))


class JSONFormatter(LineFormatter):
    """One JSON object per line: time, level, logger, message, request_id, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        entry = _entry(record.name, record.levelno, _message(record), record.created)
        _add_masked(_fields(record), entry)
        if trace := _trace(record):
            entry["exception"] = trace
        return json_bytes(entry).decode()

    def event(self, name: str, level: int, sentence: str, fields: Fields) -> str:
        """The event as one line."""
        entry = _entry(name, level, sentence, time.time())
        _add_masked(fields(), entry)
        return json_bytes(entry).decode()


def without_credentials(sentence: str, words: str | None) -> str:
    """The sentence, masked; one of which only the numbers are new is not looked through again.

    Args:
        sentence: what is told.
        words: the same with other numbers, of which none is a part of any word; ``None`` if there
            is more in it that is new.
    """
    if words is not None and _holds_none(words):
        return sentence
    return mask_credentials(sentence)


@lru_cache(maxsize=_WORDS_KNOWN)
def _holds_none(words: str) -> bool:
    return mask_credentials(words) == words


# Masking belongs here and not to a filter: what no line shows need not be looked at.
def _message(record: logging.LogRecord) -> str:
    return mask_credentials(record.getMessage())


def _trace(record: logging.LogRecord) -> str:
    """The traceback, if the record has one; credentials masked."""
    if not record.exc_info:
        return ""
    return mask_credentials(_traceback_writer.formatException(record.exc_info))


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    """What the caller of the logger added as ``extra={"fields": {...}}``."""
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return fields


def _levelled(level: int, message: str) -> str:
    """The message on lines of its own, with its level if that matters."""
    if not message.isprintable():
        message = message.translate(_ESCAPES)
    return message if level < logging.WARNING else f"{logging.getLevelName(level)}: {message}"


def _timed(moment: float, message: str) -> str:
    """The message between the local time of day and the request it is about."""
    request = current_request()
    suffix = f" [{request.request_id}]" if request else ""
    return f"{_time_of_day(int(moment))} {message}{suffix}"


def _entry(name: str, level: int, message: str, moment: float) -> dict[str, Any]:
    """What every object has."""
    request = current_request()
    second, milliseconds = divmod(int(moment * 1000), 1000)
    return {
        "time": f"{_date(second)}.{milliseconds:03d}+00:00",
        "level": _level_word(level),
        "logger": name,
        "message": message,
        "request_id": request.request_id if request else None,
    }


def _add_masked(fields: Mapping[str, Any], entry: dict[str, Any]) -> None:
    """Add the fields to an object, with every text in them masked."""
    for name, value in fields.items():
        kind = type(value)
        if kind in _AS_THEY_ARE or (kind is float and -math.inf < value < math.inf):
            entry[name] = value
        elif kind is str and name in _RECURRING:
            entry[name] = _masked_word(value)
        else:
            entry[name] = _masked(value)


def _masked(value: object) -> object:
    """The value as JSON has it, with every text in it masked."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, Mapping):
        return {str(name): _masked(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(part) for part in value]
    return mask_credentials(str(value))


@lru_cache(maxsize=_WORDS_KNOWN)
def _masked_word(word: str) -> str:
    return mask_credentials(word)


@lru_cache(maxsize=8)
def _level_word(level: int) -> str:
    return logging.getLevelName(level).lower()


@lru_cache(maxsize=2)
def _time_of_day(second: int) -> str:
    """Local time of a second in Unix time, which many lines share."""
    return time.strftime("%H:%M:%S", time.localtime(second))


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    """The same second in universal time, with its date."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
