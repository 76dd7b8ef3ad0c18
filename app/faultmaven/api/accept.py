"""What a caller's ``Accept`` header prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator

EVENTS = "text/event-stream"
_JSON = "application/json"


def prefers_events(accept: str) -> bool:
    """Whether events are asked for by name, and at least as much as a JSON document.

    Nobody names them who cannot read them; ``*/*`` is everybody's and means the document.
    """
    ranges = dict(_ranges(accept))
    named = ranges.get(EVENTS, 0.0)
    document = next((ranges[kind] for kind in (_JSON, "application/*", "*/*") if kind in ranges), 0)
    return named > 0 and named >= document


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Each media range with its weight in [0, 1]; one that cannot be read weighs nothing."""
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        weights = [text[2:] for text in parameters if text.startswith("q=")]
        yield kind, _weight(weights[0]) if weights else 1.0


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
