"""Where a text announces trouble (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

_GRAVE = re.compile(
    r"panic|fatal|oom|out of memory|exception|traceback|segfault|killed|emerg|crit|exit code"
    r"|no space left"
)
_TROUBLE = re.compile(
    r"error|fail|refused|denied|timed out|timeout|cannot|unable|unreachable|rejected|evict|warn"
    r"|too many|backoff"
)
_SETTING = re.compile(r"[=:]\s*\S*[0-9]")
_DIGITS = re.compile(r"(?<![0-9a-f])(?=[a-f]*+[0-9])[0-9a-f]+")
_MOST_HITS = 20_000  # lines looked at; a log that is nothing but errors shows them in its head
_PLAIN = 3  # rank of a line that neither announces trouble nor sets anything
_FEW = 3
_LINE_CHARS = 100  # of a quote: enough to find it by, cheap to write
_BEFORE = 30  # characters of a long line kept before the word that announces trouble


def announces_trouble(text: str) -> bool:
    """Whether anything in the text may be the sign of a fault: a telling word or a setting."""
    lowered = text.lower()
    return any(pattern.search(lowered) for pattern in (_GRAVE, _TROUBLE, _SETTING))


def trouble_places(text: str, start: int, end: int) -> Iterator[int]:
    """Places of words that announce trouble, one for each line, the gravest kind first."""
    lowered = text.lower()
    if len(lowered) != len(text):  # one letter of Turkish grows; places would be off
        lowered = text
    for pattern in (_GRAVE, _TROUBLE):
        yield from islice(_line_hits(pattern, lowered, start, end), _MOST_HITS)


def _line_hits(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[int]:
    while (found := pattern.search(text, start, end)) is not None:
        yield found.start()
        start = text.find("\n", found.end(), end)
        if start < 0:
            return


def kind_of(line: str) -> str:
    """What a line has in common with others that differ in numbers only."""
    return _DIGITS.sub("0", line.lower())


def telling_lines(texts: Sequence[str], *, limit: int) -> list[str]:
    """At most ``limit`` lines worth quoting, in their order, long ones cut to the telling part.

    Lines that announce trouble come first, then settings with a number; any other only where
    those are few. Of lines that differ in numbers only, one is told.
    """
    lines = [line.strip() for text in texts for line in text.splitlines()]
    distinct: dict[str, str] = {}
    for line in filter(None, lines):
        distinct.setdefault(kind_of(line), line)
    ranked = sorted(distinct.values(), key=_rank)
    telling = sum(_rank(line) < _PLAIN for line in ranked)
    chosen = set(ranked[: min(limit, max(telling, _FEW))])
    return [_telling_part(line) for line in dict.fromkeys(lines) if line in chosen]


def _rank(line: str) -> int:
    lowered = line.lower()
    if _GRAVE.search(lowered):
        return 0
    if _TROUBLE.search(lowered):
        return 1
    if line.endswith(":"):  # a heading
        return _PLAIN + 1
    return _PLAIN - 1 if _SETTING.search(line) else _PLAIN


def _telling_part(line: str) -> str:
    if len(line) <= _LINE_CHARS:
        return line
    found = _GRAVE.search(line.lower()) or _TROUBLE.search(line.lower())
    start = max((found.start() if found else 0) - _BEFORE, 0)
    return line[start : start + _LINE_CHARS].strip()
