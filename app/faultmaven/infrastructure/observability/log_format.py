"""How a log record is written: for a person, or one JSON object per line; never a credential."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from faultmaven.infrastructure.observability.request import current_request
from faultmaven.models.credentials import mask_credentials

_traceback_writer = logging.Formatter()
_write_json = json.JSONEncoder(ensure_ascii=False).encode
_CLOSED = frozenset({"event", "method", "route", "provider", "outcome"})  # few words, over and over
# A message with a line break must not forge a line of its own: what follows is set in.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))} | {
    ord("\n"): "\n    ",
    ord("\r"): "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class ConsoleFormatter(logging.Formatter):
    """Lines for a person.

    What happened to a request begins with the time; other information is the bare message, so
    that the start-up lines stand as they are; from warning on the level comes first.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The first line of a record, then its traceback."""
        message, trace = _message(record), _trace(record)
        if not message.isprintable():
            message = message.translate(_ESCAPES)
        if record.levelno >= logging.WARNING:
            message = f"{record.levelname}: {message}"
        if _fields(record):
            message = f"{_time_of_day(int(record.created))} {message}{_request_suffix()}"
        return f"{message}\n    {trace.translate(_ESCAPES)}" if trace else message


class JSONFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request_id, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        trace = _trace(record)
        request = current_request()
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "request_id": request.request_id if request else None,
        }
        for name, value in _fields(record).items():
            entry[name] = _masked_word(value) if name in _CLOSED else _masked(value)
        if trace:
            entry["exception"] = trace
        return _write_json(entry)


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


def _masked(value: object) -> object:
    """The value as JSON has it, with every text in it masked."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): _masked(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(part) for part in value]
    return mask_credentials(str(value))


@lru_cache(maxsize=256)
def _masked_word(word: object) -> object:
    """As `_masked`, for words of a closed set: they stand in line after line."""
    return _masked(word)


@lru_cache(maxsize=2)
def _time_of_day(second: int) -> str:
    """Local time of a second in Unix time, which many lines share."""
    return time.strftime("%H:%M:%S", time.localtime(second))


def _request_suffix() -> str:
    request = current_request()
    return f" [{request.request_id}]" if request else ""
