"""A reader who is slower than the upstream holds it up, instead of filling memory."""

import asyncio
from typing import cast

import pytest

from faultmaven.infrastructure.llm.transport.address import Origin
from faultmaven.infrastructure.llm.transport.connection import Connection

_PIECE = bytes(64 * 1024)


class _Line(asyncio.Transport):
    """A line that notes whether it is listened to."""

    def __init__(self) -> None:
        super().__init__()
        self.listening = True
        self.sent: list[bytes] = []

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Nothing is below it but a file that is always there."""
        del name, default
        return cast("object", _Nothing())

    def is_closing(self) -> bool:
        """Never."""
        return False

    def get_write_buffer_size(self) -> int:
        """All was sent."""
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self.sent.append(bytes(data))

    def pause_reading(self) -> None:
        """Note it."""
        self.listening = False

    def resume_reading(self) -> None:
        """Note it."""
        self.listening = True


class _Nothing:
    def fileno(self) -> int:
        """Give a file that has nothing to read."""
        return 0


def _come(connection: Connection, data: bytes) -> None:
    connection.get_buffer(-1)[: len(data)] = data
    connection.buffer_updated(len(data))


async def test_a_slow_reader_holds_the_upstream_up() -> None:
    """At half a megabyte nothing more is read, until some of it was taken."""
    line, connection = _Line(), Connection(Origin("name", 80, secure=False), lambda _: None)
    connection.connection_made(line)
    connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
    _come(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n")
    fed = 0
    while line.listening:
        _come(connection, _PIECE)
        fed += 1
    assert fed == 9
    assert not connection.is_reusable()
    taken = 0
    while not line.listening:
        assert await connection.piece(connection.exchange) == _PIECE
        taken += 1
    assert taken == 2
    for _ in range(fed, 16):
        _come(connection, _PIECE)
    while await connection.piece(connection.exchange) is not None:
        taken += 1
    assert taken == 16
    assert connection.is_reusable()


async def test_who_gathers_the_whole_is_never_held_up() -> None:
    """What is gathered is bounded by what an answer may be, not by what a reader may leave."""
    line, connection = _Line(), Connection(Origin("name", 80, secure=False), lambda _: None)
    connection.connection_made(line)
    connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
    gathering = asyncio.create_task(connection.body())
    _come(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n")
    for _ in range(16):
        _come(connection, _PIECE)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert line.listening
    assert len(await gathering) == 1 << 20
    assert connection.is_reusable()


async def test_one_answer_has_one_reader() -> None:
    """A second one is refused, and takes nothing from the first."""
    line, connection = _Line(), Connection(Origin("name", 80, secure=False), lambda _: None)
    connection.connection_made(line)
    connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
    first = asyncio.create_task(connection.head())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two cannot read one answer"):
        await connection.head()
    _come(connection, b"HTTP/1.1 204 No Content\r\n\r\n")
    assert (await first).status == 204
