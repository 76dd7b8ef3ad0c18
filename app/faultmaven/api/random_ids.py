"""Random ids, drawn many at a time: each draw is a system call, whatever its length."""

from __future__ import annotations

import os

_EACH = 16  # bytes of an id, as many as a UUID has
_AT_ONCE = 256  # ids

_drawn: list[str] = []
# Else a process that is split off would give the same ids as the one it comes from.
os.register_at_fork(after_in_child=_drawn.clear)


def random_id() -> str:
    """Give 32 hexadecimal digits that nobody was given before; fit for names, not for secrets."""
    try:
        return _drawn.pop()
    except IndexError:
        digits = os.urandom(_AT_ONCE * _EACH).hex()
    width = 2 * _EACH
    fresh = [digits[at : at + width] for at in range(0, len(digits), width)]
    given = fresh.pop()
    _drawn.extend(fresh)
    return given
