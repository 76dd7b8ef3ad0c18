"""A TCP proxy on loopback that spoils connections on command, whatever they carry.

It stands between a client and an upstream, knows nothing of HTTP, and so does what networks do::

    async with Upstream("openai") as up, FaultProxy(up.port) as proxy:
        proxy.script(Line(after=100, end=End.RESET))   # the next connection; then good ones again
        proxy.default = Line(delay=0.5, rate=2000)     # from then on: late and slow
        await proxy.refuse()                           # and now nobody listens
        await proxy.accept()
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

_HERE = "127.0.0.1"
_READ = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SLICES = 20  # writes a second on a slow line


class End(StrEnum):
    """What becomes of a connection once enough has passed."""

    CUT = "cut"
    RESET = "reset"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Line:
    """How one connection is treated; what the client sends always passes.

    Attributes:
        delay: seconds before the first byte of the answer passes.
        rate: bytes of the answer per second; ``None`` for as fast as they come.
        after: bytes of the answer that pass before the end; ``None`` for all of them.
        end: what happens then: an orderly close, a TCP reset, or nothing at all any more.
    """

    delay: float = 0.0
    rate: float | None = None
    after: int | None = None
    end: End = End.CUT


GOOD = Line()
"""Passes everything."""

BLACK_HOLE = Line(after=0, end=End.SILENT)
"""Accepts, and lets nothing come back."""


class FaultProxy:
    """A proxy in front of one port of this machine.

    Args:
        target: the port behind it.
    """

    def __init__(self, target: int) -> None:
        self.default = GOOD
        """How connections are treated when nothing is scripted."""
        self.accepted = 0
        """Connections so far."""
        self._target = target
        self._script: deque[Line] = deque()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def port(self) -> int:
        """The port it listens on, also while it refuses."""
        return self._port

    @property
    def origin(self) -> str:
        """Scheme, host and port of an HTTP server behind it."""
        return f"http://{_HERE}:{self._port}"

    @property
    def open(self) -> int:
        """Connections that have not ended."""
        return len(self._open)

    def script(self, *lines: Line) -> None:
        """Treat the next connections like this, in order; then the default again."""
        self._script.extend(lines)

    async def accept(self) -> None:
        """Listen, on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._take, _HERE, self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Listen no more, and reset what is open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = tuple(self._open)
        for task, writer in tuple(self._open.items()):
            task.cancel()
            _reset(writer)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and end every connection."""
        await self.refuse()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        line = self._script.popleft() if self._script else self.default
        task = asyncio.ensure_future(self._carry(reader, writer, line))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line
    ) -> None:
        behind: asyncio.StreamWriter | None = None
        try:
            answers, behind = await asyncio.open_connection(_HERE, self._target)
            sending = asyncio.ensure_future(_pour(reader, behind))
            try:
                await _first_of(sending, asyncio.ensure_future(_answer(answers, writer, line)))
            finally:
                sending.cancel()
        except OSError:  # the target is not there
            _reset(writer)
        finally:
            for end in (writer, behind):
                if end is not None:
                    end.close()


async def _first_of(*tasks: asyncio.Future[None]) -> None:
    """Wait until one of them ends; the others end then, too."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_READ):
            writer.write(data)
            await writer.drain()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line) -> None:
    """Let the answer pass as the line has it, up to its end."""
    left, begun = line.after, False
    size = _READ if line.rate is None else max(1, int(line.rate / _SLICES))
    while left is None or left > 0:
        data = await reader.read(size if left is None else min(size, left))
        if not data:
            return
        await asyncio.sleep(0 if begun else line.delay)
        begun = True
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        left = None if left is None else left - len(data)
        if line.rate is not None:
            await asyncio.sleep(len(data) / line.rate)
    if line.end is End.SILENT:
        await asyncio.get_running_loop().create_future()
    if line.end is End.RESET:
        _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Have the connection end with a TCP reset."""
    carrier = writer.get_extra_info("socket")
    if carrier is not None and carrier.fileno() >= 0:
        carrier.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
