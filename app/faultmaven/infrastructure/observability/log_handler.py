"""The handler of every log line of the process."""

from __future__ import annotations

import logging
import sys

from faultmaven.infrastructure.observability.log_format import Fields, LineFormatter
from faultmaven.infrastructure.observability.log_stream import LogStream
from faultmaven.models.credentials import mask_credentials


class LineHandler(logging.StreamHandler[LogStream]):
    """Writes records, and events that never become one, to what is standard error at the time.

    Args:
        lines: how they are written.
    """

    def __init__(self, lines: LineFormatter) -> None:
        self._gathering = LogStream()
        self._format_event = lines.event
        super().__init__(self._gathering)
        self.setFormatter(lines)

    def tell(self, name: str, level: int, sentence: str, fields: Fields) -> None:
        """Write an event, or that it cannot be written; see `LineFormatter.event`."""
        try:
            self._gathering.write(self._format_event(name, level, sentence, fields) + "\n")
        except Exception:  # noqa: BLE001 - as the logging module does: nobody fails for a line
            self._tell_lost(name, ascii(sentence))

    def flush(self) -> None:
        """Nothing: the stream knows when it is time, and each line would ask for it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name the standard library gives it
        """Tell of a line that cannot be written, without what it was to say: that is not masked."""
        self._tell_lost(record.name, mask_credentials(str(record.msg)))

    def close(self) -> None:
        """Write what is left."""
        self._gathering.flush()
        super().close()

    def _tell_lost(self, name: str, told: str) -> None:
        """Tell of a line that is missing because of the error at hand."""
        error = sys.exc_info()[0]
        why = error.__name__ if error else "unknown"
        self._gathering.write(f"A line of {name} was lost ({why}): {told}\n")
