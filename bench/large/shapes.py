"""Texts of a given size, of the shapes that are pasted and of those that hurt."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice

_HOUR = 3_600
_DAY = "2026-11-23T"
_JAVA = """\
java.lang.OutOfMemoryError: Java heap space
\tat com.acme.orders.Store.read(Store.java:{line})
\tat com.acme.orders.Main.run(Main.java:77)
Caused by: java.io.IOException: Disk quota exceeded
\t... 12 more"""


def _clock(rng: random.Random) -> Iterator[str]:
    seconds = 3.0 * _HOUR
    while True:
        seconds += rng.random() * 0.3
        whole = int(seconds)
        hour, minute, second = whole // _HOUR % 24, whole // 60 % 60, whole % 60
        yield f"{_DAY}{hour:02}:{minute:02}:{second:02}.{int(seconds * 1000) % 1000:03}Z"


def _log(rng: random.Random) -> Iterator[str]:
    """What a small shop of services writes: much of it alike, little of it telling."""
    for stamp in _clock(rng):
        (write,) = rng.choices(_LINES, weights=_WEIGHTS)
        yield f"{stamp} {write(rng, rng.randrange(100_000))}"


def _request(rng: random.Random, number: int) -> str:
    trace = f"{rng.getrandbits(64):016x}"
    return f"INFO  [{_service(rng)}] id={trace} GET /orders/{number} status=200 {number} us"


def _cache(rng: random.Random, number: int) -> str:
    return f"DEBUG [{_service(rng)}] cache hit key={rng.getrandbits(96):024x} n={number}"


def _sign_in(rng: random.Random, number: int) -> str:
    user = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6))
    return f"INFO  [auth] user {user} signed in from 10.0.{number % 256}.7"


def _slow(rng: random.Random, number: int) -> str:
    return f"WARN  [{_service(rng)}] slow query took {number} ms on replica-{number % 9}"


def _error(rng: random.Random, number: int) -> str:
    return f"ERROR [{_service(rng)}] db-{number % 5}.prod:5432 timed out after {number} ms"


def _failure(rng: random.Random, number: int) -> str:
    failed = f"ERROR [worker] job {rng.getrandbits(32):08x} failed"
    return f"{failed}\n{_JAVA.format(line=number % 900)}"


def _service(rng: random.Random) -> str:
    return f"svc-{rng.choice('abcdefgh')}"


_LINES = (_request, _cache, _sign_in, _slow, _error, _failure)
_WEIGHTS = (500, 200, 100, 150, 49, 1)


def _json_lines(rng: random.Random) -> Iterator[str]:
    for stamp, text in zip(_clock(rng), _log(rng), strict=False):
        yield json.dumps({"time": stamp, "level": "info", "message": text, "pid": 7})


def _different(rng: random.Random) -> Iterator[str]:
    letters = "ghijklmnopqrstuvwxyz "
    while True:
        yield "".join(rng.choices(letters, k=rng.randrange(60, 140)))


def _junk(rng: random.Random) -> Iterator[str]:
    while True:
        yield rng.randbytes(rng.randrange(1, 900)).decode("latin-1")


def _joined(lines: Iterator[str], size: int, newline: str = "\n") -> str:
    parts: list[str] = []
    left = size
    while left > 0:
        parts.append(next(lines))
        left -= len(parts[-1]) + len(newline)
    return newline.join(parts)[:size]


def _one_line(rng: random.Random, size: int) -> str:
    return _joined(_log(rng), size, newline=" ")


def _repeated(rng: random.Random, size: int) -> str:
    line = next(islice(_log(rng), 1))
    return f"{line}\n" * (size // (len(line) + 1))


SHAPES: Mapping[str, Callable[[random.Random, int], str]] = {
    "log": lambda rng, size: _joined(_log(rng), size),
    "json lines": lambda rng, size: _joined(_json_lines(rng), size),
    "CRLF": lambda rng, size: _joined(_log(rng), size, newline="\r\n"),
    "one line": _one_line,
    "one letter": lambda _, size: "a" * size,
    "one line repeated": _repeated,
    "all lines different": lambda rng, size: _joined(_different(rng), size),
    "errors only": lambda _, size: _joined((f"fatal error {n}" for n in count()), size),
    "empty lines": lambda _, size: "\n" * size,
    "stack traces": lambda _, size: _joined((_JAVA.format(line=n) for n in count()), size),
    "binary junk": lambda rng, size: _joined(_junk(rng), size),
}
"""By name: what makes a text of that many characters."""


def text_of(shape: str, size: int) -> str:
    """The text of that shape; the same each time."""
    return SHAPES[shape](random.Random(shape), size)  # noqa: S311 - a log, no secret
