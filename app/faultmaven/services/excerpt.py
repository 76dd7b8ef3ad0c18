"""The telling part of a text that is too long (pure).

Its head, its tail, and the lines around words that announce trouble; what is left out is
counted where it was. Of lines that differ in numbers only, the first is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven.services.trouble import kind_of, trouble_places

_MARKER = 56  # characters of the longest note about what was left out
_HEAD, _TAIL = 0.2, 0.3  # shares of the room; the rest is for trouble
_AROUND = 2  # lines kept on either side of trouble
_MOST_CHARS_AROUND = 600
_KIND_CHARS = 200  # of a line on either side of a word, by which its kind is told
_LEAST_ROOM = 400  # below this there is no room to choose

_Span = tuple[int, int]


def excerpt(text: str, limit: int) -> str:
    """At most ``limit`` characters of ``text``; the text itself if it fits."""
    if len(text) <= limit:
        return text
    if limit < _LEAST_ROOM:
        return text[: max(limit, 0)]
    return _joined(text, _merged(sorted(_spans(text, limit - 2 * _MARKER))))


def _spans(text: str, room: int) -> Iterator[_Span]:
    """What to keep; together, with a note after each, not more than the room."""
    head = _line_end(text, int(room * _HEAD))
    tail = _line_start(text, len(text) - int(room * _TAIL))
    yield (0, head)
    yield (tail, len(text))
    left = room - head - (len(text) - tail)
    seen: set[bytes] = set()
    for place in trouble_places(text, head, tail):
        kind = kind_of(_line(text, place))
        if kind in seen:
            continue
        seen.add(kind)
        start, end = _around(text, place, head, tail)
        left -= end - start + _MARKER
        if left < 0:
            return
        yield (start, end)


def _line_end(text: str, place: int) -> int:
    """The last end of a line before ``place``, or ``place`` itself in a very long line."""
    found = text.rfind("\n", place // 2, place)
    return place if found < 0 else found + 1


def _line_start(text: str, place: int) -> int:
    """The first start of a line after ``place``, or ``place`` itself in a very long line."""
    found = text.find("\n", place, place + (len(text) - place) // 2)
    return place if found < 0 else found + 1


def _line(text: str, place: int) -> str:
    low, high = max(place - _KIND_CHARS, 0), place + _KIND_CHARS
    start, end = text.rfind("\n", low, place) + 1, text.find("\n", place, high)
    return text[max(start, low) : high if end < 0 else end]


def _around(text: str, place: int, first: int, last: int) -> _Span:
    """Some lines around a place, within bounds."""
    start = end = place
    low = max(first, place - _MOST_CHARS_AROUND // 2)
    high = min(last, place + _MOST_CHARS_AROUND // 2)
    for _ in range(_AROUND + 1):
        start = max(text.rfind("\n", low, start), low)
        found = text.find("\n", end + 1, high)
        end = high if found < 0 else found
    return (start + (text[start] == "\n"), end)


def _merged(spans: list[_Span]) -> list[_Span]:
    merged = spans[:1]
    for start, end in spans[1:]:
        if start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _joined(text: str, spans: list[_Span]) -> str:
    parts: list[str] = []
    position = 0
    for start, end in spans:
        if start > position:
            parts.append(_note(text, position, start))
        parts.append(text[start:end])
        position = end
    return "".join(parts)


def _note(text: str, start: int, end: int) -> str:
    lines = text.count("\n", start, end)
    amount = f"{lines:,} lines" if lines else f"{end - start:,} characters"
    before = "" if start == 0 or text[start - 1] == "\n" else "\n"
    return f"{before}[... {amount} left out ...]\n"
