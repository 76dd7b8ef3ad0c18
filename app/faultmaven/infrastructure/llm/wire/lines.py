"""Lines and whole objects in bytes that arrive in pieces; what both framings build on."""

from __future__ import annotations

from pydantic_core import from_json

from faultmaven.errors import ProviderProtocolError

MOST_BYTES = 8 * 1024 * 1024
"""Longest event we read; one that is longer will hardly ever end."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Lines:
    """Cuts bytes at CR, LF or CRLF, wherever the pieces end.

    A CR ends its line at once; a LF that comes with the next piece belongs to it. Each byte is
    looked at once, however small the pieces are. Nothing is decoded, so that a character may be
    cut as well.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_return = False
        self._first = True

    @property
    def rest(self) -> bytes:
        """The line that has not ended yet."""
        return self._without_mark(bytes(self._rest))

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` ends, without their ends.

        Raises:
            ProviderProtocolError: a line grows beyond `MOST_BYTES`.
        """
        if not chunk:
            return []
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_return = chunk.endswith(b"\r")
        lines = chunk.splitlines()
        cut = b"" if chunk.endswith((b"\n", b"\r")) or not lines else lines.pop()
        if lines:
            self._complete(lines)
        self._rest += cut
        if len(self._rest) + len(chunk) > MOST_BYTES:  # else no line can be that long
            refuse_beyond(max(map(len, (*lines, self._rest))))
        return lines

    def _complete(self, lines: list[bytes]) -> None:
        if self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            refuse_beyond(len(lines[0]))
            self._rest.clear()
        if self._first:
            lines[0] = self._without_mark(lines[0])
            self._first = False

    def _without_mark(self, line: bytes) -> bytes:
        return line.removeprefix(_BYTE_ORDER_MARK) if self._first else line


def refuse_beyond(size: int) -> None:
    """Refuse an event of more than `MOST_BYTES`.

    Raises:
        ProviderProtocolError: it is one.
    """
    if size > MOST_BYTES:
        raise ProviderProtocolError("an event of the stream does not end")


def is_whole(data: bytes) -> bool:
    """Whether ``data`` is a whole JSON object: no part of one, cut anywhere, is one itself."""
    try:
        return isinstance(from_json(data), dict)
    except ValueError:
        return False
