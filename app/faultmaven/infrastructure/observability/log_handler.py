"""The handler of every log line of the process."""

from __future__ import annotations

import logging
import sys

from faultmaven.infrastructure.observability.log_format import Fields, LineFormatter
from faultmaven.infrastructure.observability.log_stream import LogStream
from faultmaven.models.credentials import mask_credentials


class LineHandler(logging.StreamHandler[LogStream]):
    """Writes records, and events that never become one, to what is standard error now.

    Args:
        lines: how they are written.
    """

    def __init__(self, lines: LineFormatter) -> None:
        self._gathering = LogStream(sys.stderr)
        self._format_event = lines.event
        super().__init__(self._gathering)
        self.setFormatter(lines)

    def tell(self, name: str, level: int, sentence: str, fields: Fields) -> None:
        """Write an event; see `LineFormatter.event`."""
        self._gathering.write(self._format_event(name, level, sentence, fields) + "\n")

    def flush(self) -> None:
        """Nothing: the stream knows when it is time, and each line would ask for it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name the standard library gives it
        """Tell of a line that cannot be written, without what it was to say: that is not masked."""
        told = mask_credentials(str(record.msg))
        error = sys.exc_info()[0]
        why = error.__name__ if error else "unknown"
        self._gathering.write(f"A line of {record.name} was lost ({why}): {told}\n")

    def close(self) -> None:
        """Write what is left."""
        self._gathering.flush()
        super().close()
