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


class RequestFilter(logging.Filter):
    """Notes on each record which request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set ``record.request_id``, ``None`` outside of requests; lets every record pass."""
        request = current_request()
        record.request_id = request.request_id if request else None
        return True


class CredentialFilter(logging.Filter):
    """Masks credentials in a record's message, fields, traceback and stack."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; lets every record pass."""
        record.msg, record.args = mask_credentials(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = _traceback_writer.formatException(record.exc_info)
        if record.exc_text:
            # A formatter writes this text and does not look at the exception again.
            record.exc_text = mask_credentials(record.exc_text)
        if record.stack_info:
            record.stack_info = mask_credentials(record.stack_info)
        fields = _fields(record)
        if fields:
            record.fields = {name: _masked(value) for name, value in fields.items()}
        return True


class ConsoleFormatter(logging.Formatter):
    """Lines for a person.

    What happened to a request begins with the time; other information is the bare message, so
    that the start-up lines stand as they are; from warning on the level comes first.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name the standard library gives it
        """The first line of a record."""
        message = record.message.translate(_ESCAPES)
        if record.levelno >= logging.WARNING:
            message = f"{record.levelname}: {message}"
        if not _fields(record):
            return message
        return f"{_time_of_day(int(record.created))} {message}{_request_suffix(record)}"


class JSONFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request_id, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", None),
            **_fields(record),
        }
        if record.exc_text:  # written by the filter before
            line["exception"] = record.exc_text
        return _write_json(line)


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


def _request_suffix(record: logging.LogRecord) -> str:
    request_id = getattr(record, "request_id", None)
    return f" [{request_id}]" if request_id else ""
