"""How a log record is written: for a person, or one JSON object per line; never a credential."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from faultmaven.infrastructure.observability.request import current_request
from faultmaven.models.credentials import mask_credentials

_traceback_writer = logging.Formatter()
_write_json = json.JSONEncoder(ensure_ascii=False, default=str).encode
_WORD = 64  # characters; the names of providers, models, routes and the like are shorter
# A message with a line break must not forge a line of its own: what follows is set in.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))} | {
    ord("\n"): "\n    ",
    ord("\r"): "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class _MaskingFormatter(logging.Formatter):
    """Writes what every line has in common: its message and its traceback, credentials masked.

    Masking belongs here and not to a filter: what no line shows need not be looked at.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one entry of the log."""
        return self.line(record, mask_credentials(record.getMessage()), _trace(record))

    def line(self, record: logging.LogRecord, message: str, trace: str) -> str:
        """The entry; message and trace are masked, the fields are not."""
        raise NotImplementedError


class ConsoleFormatter(_MaskingFormatter):
    """Lines for a person.

    What happened to a request begins with the time; other information is the bare message, so
    that the start-up lines stand as they are; from warning on the level comes first.
    """

    def line(self, record: logging.LogRecord, message: str, trace: str) -> str:
        """The first line of a record, then its traceback."""
        if not message.isprintable():
            message = message.translate(_ESCAPES)
        if record.levelno >= logging.WARNING:
            message = f"{record.levelname}: {message}"
        if _fields(record):
            message = f"{_time_of_day(int(record.created))} {message}{_request_suffix()}"
        return f"{message}\n{trace}" if trace else message


class JSONFormatter(_MaskingFormatter):
    """One JSON object per line: time, level, logger, message, request_id, and the fields."""

    def line(self, record: logging.LogRecord, message: str, trace: str) -> str:
        """The record as one line."""
        request = current_request()
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
            "request_id": request.request_id if request else None,
        }
        for name, value in _fields(record).items():
            entry[name] = _masked(value)
        if trace:
            entry["exception"] = trace
        return _write_json(entry)


def _trace(record: logging.LogRecord) -> str:
    """Traceback and stack, as far as the record has them; credentials masked."""
    parts = [_traceback_writer.formatException(record.exc_info)] if record.exc_info else []
    if record.stack_info:
        parts.append(record.stack_info)
    return mask_credentials("\n".join(parts)) if parts else ""


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    """What the caller of the logger added as ``extra={"fields": {...}}``."""
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return fields


def _masked(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _masked_word(value) if len(value) <= _WORD else mask_credentials(value)


@lru_cache(maxsize=1024)
def _masked_word(word: str) -> str:
    """As `mask_credentials`; the same few words stand in line after line."""
    return mask_credentials(word)


@lru_cache(maxsize=2)
def _time_of_day(second: int) -> str:
    """Local time of a second in Unix time, which many lines share."""
    return time.strftime("%H:%M:%S", time.localtime(second))


def _request_suffix() -> str:
    request = current_request()
    return f" [{request.request_id}]" if request else ""
