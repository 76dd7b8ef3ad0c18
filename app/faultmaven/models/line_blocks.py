"""A long text in blocks of whole lines (pure).

One call of a regular expression, or of a string's method, keeps every other thread from running
until it returns. Who looks through megabytes does so block by block.
"""

from __future__ import annotations

from collections.abc import Iterator

BLOCK = 65_536
"""Characters of a block; the slowest expression takes some 5 ms for that many."""


def line_blocks(text: str, size: int = BLOCK) -> Iterator[tuple[int, int]]:
    """Begin and end of each block; together they are the text.

    A block ends behind a line break and has at most ``size`` characters, unless a single line
    has more: that is a block of its own.
    """
    start, last = 0, len(text)
    while last - start > size:
        end = text.rfind("\n", start, start + size) + 1
        if not end:
            end = text.find("\n", start + size) + 1 or last
        yield start, end
        start = end
    if start < last:
        yield start, last
