"""Lines of the log on their way out, several at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TextIO


class LogStream:
    """Writes together what is logged in one turn of the event loop; elsewhere each line at once.

    A system call for each line is a good part of what a line costs, and a busy service writes
    dozens of lines in a turn. A process that is killed may lose those of its last turn.

    Args:
        stream: where they go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        """Take a line."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # before the loop runs, after it, and in other threads
            self._lines.append(line)
            self.flush()
            return
        if not self._lines:
            loop.call_soon(self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Write what was taken; what cannot be written is lost.

        That must not be told: it would be a line of the log, which cannot be written either.
        """
        lines, self._lines = self._lines, []
        if lines:
            with suppress(OSError, ValueError):  # a full disk, a broken pipe, a closed file
                self._stream.write("".join(lines))
