"""Where a text announces trouble (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faultmaven.models.line_blocks import line_blocks
from faultmaven.models.plain_text import lowered

GRAVE = (
    *("panic", "fatal", "oom", "out of memory", "exception", "traceback", "segfault", "killed"),
    *("emerg", "crit", "exit code", "no space left"),
)
"""Words, in lower case, of a fault that ends something."""

TROUBLE = (
    *("error", "fail", "refused", "denied", "timed out", "timeout", "cannot", "unable"),
    *("unreachable", "rejected", "evict", "warn", "too many", "backoff"),
)
"""Words, in lower case, of something that does not go as it should."""

# A bound that something may have run into; most faults of capacity are two of them that clash.
_BOUND = re.compile(
    r"(?:limit|max|mem|heap|-xm|pool|size|capacity|quota|workers|threads|connections|timeout"
    r"|expire|not after|usage|used|available|free|replicas|disk)[^\n]{0,60}?[0-9]"
)
# Every run is bounded: a line may be megabytes long, and is searched from each of its places.
_SETTING = re.compile(r"[=:]\s{0,8}+[^\s=:0-9]{0,40}+[0-9]")
_HEX_DIGITS = b"0123456789abcdef"
_PLAIN = 4  # rank of a line that neither announces trouble nor sets anything
_FEW = 3
_LINE_CHARS = 100  # of a quote: enough to find it by, cheap to write
_BEFORE = 30  # characters of a long line kept before the word that announces trouble


def announces_trouble(text: str) -> bool:
    """Whether anything in the text may be the sign of a fault: a telling word or a setting."""
    return any(_announces(text[start:end]) for start, end in line_blocks(text))


def _announces(text: str) -> bool:
    return _first(GRAVE + TROUBLE, lowered(text)) >= 0 or _SETTING.search(text) is not None


def _first(words: Sequence[str], text: str) -> int:
    """Place of the first word that is found, in the order of the words; -1 for none."""
    return next((place for place in map(text.find, words) if place >= 0), -1)


def kind_of(line: str) -> bytes:
    """What a line has in common with others that differ in decimal or hex numbers only."""
    return line.lower().encode("utf-8", "replace").translate(None, _HEX_DIGITS)


def telling_lines(texts: Sequence[str], *, limit: int) -> list[str]:
    """At most ``limit`` lines worth quoting, in their order, long ones cut to the telling part.

    Lines that announce trouble come first, then bounds such as a memory limit, then settings
    with a number; any other only where those are few. Of lines that differ in numbers only,
    one is told.
    """
    lines = [line.strip() for text in texts for line in text.splitlines()]
    distinct: dict[bytes, str] = {}
    for line in filter(None, lines):
        distinct.setdefault(kind_of(line), line)
    ranked = sorted(distinct.values(), key=_rank)
    telling = sum(_rank(line) < _PLAIN for line in ranked)
    chosen = set(ranked[: min(limit, max(telling, _FEW))])
    return [_telling_part(line) for line in dict.fromkeys(lines) if line in chosen]


def _rank(line: str) -> int:
    small = line.lower()
    if _first(GRAVE, small) >= 0:
        return 0
    if _first(TROUBLE, small) >= 0:
        return 1
    if line.endswith(":"):  # a heading
        return _PLAIN + 1
    if _BOUND.search(small):
        return 2
    return _PLAIN - 1 if _SETTING.search(line) else _PLAIN


def _telling_part(line: str) -> str:
    if len(line) <= _LINE_CHARS:
        return line
    start = max(_first(GRAVE + TROUBLE, line.lower()) - _BEFORE, 0)
    return line[start : start + _LINE_CHARS].strip()
