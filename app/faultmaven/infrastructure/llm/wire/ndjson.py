"""One JSON object a line, cut from bytes as they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven.infrastructure.llm.wire.lines import Lines, is_whole
from faultmaven.infrastructure.llm.wire.types import WireEvent


class JSONLines:
    """Framing of ``application/x-ndjson``, as Ollama streams; blank lines are skipped."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, chunk: bytes) -> Sequence[WireEvent]:
        """The lines that ``chunk`` completes, in order.

        Raises:
            ProviderProtocolError: a line is longer than any event is.
        """
        lines = self._lines.feed(chunk)
        return [WireEvent(line) for line in lines if line and not line.isspace()]

    def close(self) -> Sequence[WireEvent]:
        """The last line, where only its end is missing: half an object is never given."""
        rest = self._lines.rest
        return (WireEvent(rest),) if is_whole(rest) else ()
