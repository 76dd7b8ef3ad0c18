"""Server-sent events, cut from bytes as they arrive.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream with two
liberties. An event without content is a sign of life and is not given. And where the standard
drops an event that the end of the stream left without its blank line, we give it if its content
is a whole JSON object, or the ``[DONE]`` that ends OpenAI's streams: some servers forget the last
line end. Half an object is never given, so that a stream that was cut is seen as cut, not as
malformed.
"""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven.infrastructure.llm.wire.lines import MOST_BYTES, Lines, is_whole, refuse_beyond
from faultmaven.infrastructure.llm.wire.types import WireEvent

DONE = b"[DONE]"
"""Content of the event that ends a stream in OpenAI's format."""

_LF, _CR = b"\n\r"


class ServerSentEvents:
    """Framing of ``text/event-stream``; ids and reconnection times are ignored."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""
        self._between = False  # two events, with nothing of the next one read

    def feed(self, chunk: bytes) -> Sequence[WireEvent]:
        """The events that ``chunk`` completes, in order; one object by itself is the usual thing.

        Raises:
            ProviderProtocolError: an event is longer than any event is.
        """
        if self._between and chunk[:7] == b"data: {" and chunk[-2:] == b"\n\n":
            data = chunk[6:-2]
            if _LF not in data and _CR not in data and len(chunk) < MOST_BYTES:
                return (WireEvent(data),)
        return self._cut(chunk)

    def _cut(self, chunk: bytes) -> Sequence[WireEvent]:
        """As `feed`, whatever the events are like, and wherever they end."""
        events: list[WireEvent] = []
        for line in self._lines.feed(chunk):
            if line:
                self._read(line)
            else:
                events += self._take()
        self._between = chunk[-1:] == b"\n" and not self._data and not self._name
        return events

    def close(self) -> Sequence[WireEvent]:
        """The last event, where only line ends are missing from it."""
        self._read(self._lines.rest)
        return [event for event in self._take() if event.data == DONE or is_whole(event.data)]

    def _read(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._size += len(line)
            refuse_beyond(self._size)
            self._data.append(value.removeprefix(b" "))
        elif field == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")

    def _take(self) -> Sequence[WireEvent]:
        """The event whose lines have been read, unless it has no content."""
        data, name = b"\n".join(self._data), self._name
        self._data, self._size, self._name = [], 0, ""
        return (WireEvent(data, name),) if data and not data.isspace() else ()
