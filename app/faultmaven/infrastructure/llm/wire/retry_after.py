"""How long a vendor asks us to wait, as its headers or its body say it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0
"""Seconds; a vendor's word is not taken for longer than this."""

_MS_PER_S = 1000.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from 0 to `LONGEST`, or ``None`` where the headers say nothing usable.

    ``retry-after-ms`` (OpenAI) beats ``retry-after``, which may be seconds, a fraction of them
    or an HTTP date (RFC 9110, 10.2.3). A date is read against the answer's own ``date``: the
    server's two clocks agree, ours may not.
    """
    milliseconds = seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return usable_wait(milliseconds / _MS_PER_S)
    value = headers.get("retry-after", "")
    plain = seconds(value)
    return usable_wait(plain if plain is not None else _until(value, headers.get("date", "")))


def usable_wait(wait: float | None) -> float | None:
    """The wait, at most `LONGEST`, or ``None`` for one that nobody can wait."""
    if wait is None or not wait >= 0:  # so written, NaN is refused too
        return None
    return min(wait, LONGEST)


def seconds(text: str) -> float | None:
    """Read a length such as ``34``, ``1.5`` or Google's ``34s``; ``None`` if it is none."""
    try:
        value = float(text.strip().removesuffix("s"))
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(value: str, now: str) -> float | None:
    then, present = _moment(value), _moment(now)
    if then is None or present is None:
        return None
    return max(0.0, (then - present).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
