"""Lines of the log on their way out, several at a time."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from threading import RLock
from typing import TextIO


class LogStream:
    """Writes together what the event loop logs within a moment; elsewhere each line at once.

    A system call for each line is a good part of what a line costs, and a busy service writes
    dozens of lines in a moment. A process that is killed may lose those of its last one. Threads
    may write beside the event loop; the lock can be taken again by a signal's handler.

    Args:
        stream: where they go; without one to what is standard error when they do.
        seconds: how long the event loop's lines wait for others.
    """

    def __init__(self, stream: TextIO | None = None, *, seconds: float = 0.02) -> None:
        self._stream = stream
        self._seconds = seconds
        self._lines: list[str] = []
        self._lock = RLock()

    def write(self, line: str) -> None:
        """Take a line."""
        with self._lock:
            waiting = bool(self._lines)
            self._lines.append(line)
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # before the loop runs, after it, and in other threads
                self.flush()
                return
            if not waiting:
                loop.call_later(self._seconds, self.flush)

    def flush(self) -> None:
        """Write what was taken; what cannot be written is lost, or escaped if it is a character.

        That must not be told: it would be a line of the log, which cannot be written either.
        """
        with self._lock:
            lines, self._lines = self._lines, []
            if lines:
                with suppress(OSError, ValueError):  # a full disk, a broken pipe, a closed file
                    stream, text = self._stream or sys.stderr, "".join(lines)
                    try:
                        stream.write(text)
                    except UnicodeEncodeError:  # PYTHONIOENCODING may say that characters fail
                        stream.write(_escaped(text, stream.encoding))


def _escaped(text: str, encoding: str) -> str:
    """The text without characters that the encoding has no place for."""
    return text.encode(encoding, "backslashreplace").decode(encoding)
