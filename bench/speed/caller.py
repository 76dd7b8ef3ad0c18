"""A load generator of our own, for what wrk cannot do: a fixed rate, and streams.

`python -m bench.speed.caller` reads an `Errand` as JSON and writes an `Outcome`; it is a process
of its own so that it can be pinned.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import httptools
import uvloop
from pydantic import TypeAdapter

from bench import ROOT
from bench.speed.answers import FIRST, LAST
from bench.speed.child import pinned
from bench.speed.target import Target

_FIRST, _LAST = FIRST.encode(), LAST.encode()
_OK = 200
_PATIENCE = 30.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Errand:
    """What to do.

    Attributes:
        target: what is asked.
        seconds: how long new requests are sent.
        rate: requests a second, whatever becomes of those before; 0 for as many as can be.
        callers: how many ask at once where there is no rate.
    """

    target: Target
    seconds: float
    rate: float = 0.0
    callers: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        whole_ms: milliseconds to the end of each good answer, sorted.
        first_ms: milliseconds to its first token, sorted.
        errors: other answers, and none.
        seconds: how long it took in all.
    """

    whole_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0


async def run(errand: Errand, *, processors: tuple[int, ...]) -> Outcome:
    """Do it in a process on these processors.

    Raises:
        RuntimeError: it failed; holds what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *pinned((sys.executable, "-m", "bench.speed.caller"), processors),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(TypeAdapter(Errand).dump_json(errand))
    if process.returncode:
        raise RuntimeError(f"the load generator failed: {err.decode()[-2000:]}")
    return TypeAdapter(Outcome).validate_json(out)


class _Connection(asyncio.Protocol):
    """One connection; one question at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[bool] | None = None
        self._body = bytearray()
        self.first = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._end(whole=False)

    def on_body(self, body: bytes) -> None:
        self._body += body
        if not self.first and _FIRST in self._body:
            self.first = time.perf_counter()

    def on_message_complete(self) -> None:
        self._end(whole=self._parser.get_status_code() == _OK and _LAST in self._body)

    @property
    def lost(self) -> bool:
        """Whether it can be used no more."""
        return self._transport is None

    async def ask(self, request: bytes) -> bool:
        """Send; whether a good answer came."""
        if self._transport is None:
            return False
        self._body.clear()
        self.first = 0.0
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(_PATIENCE):
            return await self._answered

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self, *, whole: bool) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(whole)


class _Calls:
    """Everything that is asked, and what came back."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._idle: list[_Connection] = []
        self._numbers: Iterator[int] = iter(range(sys.maxsize))
        self._whole: list[float] = []
        self._first: list[float] = []
        self._errors = 0

    async def run(self) -> Outcome:
        started = time.perf_counter()
        await (self._paced() if self._errand.rate else self._closed())
        spent = time.perf_counter() - started
        for connection in self._idle:
            connection.close()
        return Outcome(sorted(self._whole), sorted(self._first), self._errors, spent)

    async def _paced(self) -> None:
        """Open loop: a slow answer delays none after it."""
        loop = asyncio.get_running_loop()
        started, rate = loop.time(), self._errand.rate
        tasks = []
        for number in range(round(rate * self._errand.seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - loop.time()))
            tasks.append(asyncio.ensure_future(self._call()))
        await asyncio.gather(*tasks)

    async def _closed(self) -> None:
        end = time.perf_counter() + self._errand.seconds

        async def caller() -> None:
            while time.perf_counter() < end:
                await self._call()

        await asyncio.gather(*(caller() for _ in range(self._errand.callers)))

    async def _call(self) -> None:
        request = self._errand.target.request(next(self._numbers))
        try:
            connection = await self._connection()
            sent = time.perf_counter()
            good = await connection.ask(request)
        except (OSError, TimeoutError):
            self._errors += 1
            return
        self._note(connection, sent, good=good)

    def _note(self, connection: _Connection, sent: float, *, good: bool) -> None:
        now = time.perf_counter()
        if not connection.lost:
            self._idle.append(connection)
        if not good:
            self._errors += 1
            return
        self._whole.append(1000 * (now - sent))
        self._first.append(1000 * (connection.first - sent))

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.lost:
                return connection
        loop = asyncio.get_running_loop()
        port = self._errand.target.port
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
        return connection


def _main() -> None:
    errand = TypeAdapter(Errand).validate_json(sys.stdin.buffer.read())
    outcome = uvloop.run(_Calls(errand).run())
    # By a writer of its own: of what Python writes unbuffered, a pipe may take only a part.
    with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as out:
        out.write(TypeAdapter(Outcome).dump_json(outcome))


if __name__ == "__main__":
    _main()
