"""Reading HTTP/1.1 answers out of bytes as they come, one after another; knows no socket."""

from __future__ import annotations

from collections import deque
from functools import lru_cache

import httptools

_MOST_IN_VAIN = 128 * 1024  # bytes of a head, of a chunk's extensions, or of trailers
_FINAL = 200  # a lower status announces an answer and is none


class MalformedAnswerError(Exception):
    """What came is not HTTP/1.1."""


class Answer:
    """One answer on its way, and after `restart` the next on the same connection.

    Attributes:
        status: HTTP status; 0 until the head is there.
        headers: names in lower case; what is named twice is joined by a comma.
        begun: whether the head is there.
        complete: whether all of it is.
        reusable: whether the connection may carry another exchange.
        buffered: bytes of the body that nobody took yet.
    """

    __slots__ = (
        "_in_vain",
        "_parser",
        "_pieces",
        "begun",
        "buffered",
        "complete",
        "headers",
        "reusable",
        "status",
    )

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._parser = httptools.HttpResponseParser(self)
        self.restart()

    def restart(self) -> None:
        """Forget what was read, and begin anew."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.begun = self.complete = self.reusable = False
        self.buffered = self._in_vain = 0
        self._pieces.clear()

    def feed(self, data: bytes | memoryview) -> None:
        """Read what came next.

        Raises:
            MalformedAnswerError: it is not HTTP, or has more about a body than any answer needs.
        """
        self._in_vain += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.reusable = False
            if not self.complete:
                raise MalformedAnswerError from error
        if self._in_vain > _MOST_IN_VAIN and not self.complete:
            raise MalformedAnswerError

    def end(self) -> None:
        """Its server has ended the connection; so has a body that says nothing of its length."""
        self.reusable = False
        if self.begun and not self._says_its_length():
            self.complete = True

    def release(self) -> None:
        """Let go of the parser, which holds on to this in turn: nothing more is to be read."""
        self.reusable = False
        del self._parser

    def take(self) -> bytes | None:
        """The next piece of the body, as it came; ``None`` where there is none yet."""
        if not self._pieces:
            return None
        piece = self._pieces.popleft()
        self.buffered -= len(piece)
        return piece

    def take_all(self) -> bytes:
        """All of the body that nobody took yet."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self.buffered = 0
        return whole

    def on_message_begin(self) -> None:
        """Called by the parser; what follows a whole answer was not asked for."""
        self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser, for trailers too, which nobody reads."""
        if self.begun:
            return
        key, text = _key(name), value.decode("latin-1")
        if key in self.headers:
            text = f"{self.headers[key]}, {text}"
        self.headers[key] = text

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self.begun:
            return
        status = self._parser.get_status_code()
        if status >= _FINAL:
            self.status, self.begun = status, True
            self._in_vain = 0
        else:
            self.headers = {}

    def on_body(self, piece: bytes) -> None:
        """Called by the parser."""
        self._in_vain = 0
        if not self.complete:
            self._pieces.append(piece)
            self.buffered += len(piece)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self.begun and not self.complete:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()

    def _says_its_length(self) -> bool:
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        return chunked or "content-length" in self.headers


@lru_cache(maxsize=512)  # servers name the same headers again and again
def _key(name: bytes) -> str:
    return name.decode("latin-1").lower()
