"""The service's log as a text, heard by nobody else or by who a test wants to hear it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Literal

from faultmaven.infrastructure.observability.logs import configure_logging

LogFormat = Literal["console", "json"]

_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{3})?")


def without_time(line: str) -> str:
    """The line as it would be at any other time."""
    return _TIME.sub("", line, count=1)


class Listener(logging.Handler):
    """Somebody else who listens."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self.heard.append(record)


@contextmanager
def log_to_text(
    log_format: LogFormat, *others: logging.Handler, level: str = "info"
) -> Iterator[io.StringIO]:
    """Log as the service does, to a text; the test runner listens no longer."""
    root, ours = logging.getLogger(), logging.getLogger("faultmaven")
    before = root.level, ours.level, root.handlers[:]
    root.handlers[:] = others
    try:
        with redirect_stderr(io.StringIO()) as written:
            configure_logging(log_format, level)
            yield written
            root.handlers[-1].close()  # which writes what waits for the end of its moment
    finally:
        root.setLevel(before[0])
        ours.setLevel(before[1])
        root.handlers[:] = before[2]
