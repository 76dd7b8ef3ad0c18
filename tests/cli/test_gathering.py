"""What is written in one turn of the event loop leaves in one piece."""

from __future__ import annotations

import asyncio

from faultmaven.cli.gathering import Gathering

_MANY = range(9)


class Wire(asyncio.Transport):
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        super().__init__({"peername": "somebody"})
        self.heard: list[bytes] = []
        self.told: list[str] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self.heard.append(bytes(data))

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def pause_reading(self) -> None:
        """Note it."""
        self.told.append("pause")

    def resume_reading(self) -> None:
        """Note it."""
        self.told.append("resume")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Note it."""
        self.told.append(type(protocol).__name__)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed


async def test_head_and_body_are_one_write() -> None:
    """Both leave together, once the turn is over, and the next turn's apart from them."""
    wire = Wire()
    gathering = Gathering(wire, asyncio.get_running_loop(), _MANY)
    gathering.write(b"head ")
    gathering.write(b"body")
    assert wire.heard == []
    await asyncio.sleep(0)
    gathering.write(b"later")
    await asyncio.sleep(0)
    assert wire.heard == [b"head body", b"later"]


async def test_nobody_waits_where_there_is_nothing_to_wait_for() -> None:
    """While hardly anything is in flight, each piece leaves as it is written."""
    wire = Wire()
    gathering = Gathering(wire, asyncio.get_running_loop(), range(1))
    gathering.write(b"head ")
    gathering.write(b"body")
    assert wire.heard == [b"head ", b"body"]


async def test_closing_loses_nothing() -> None:
    """What was written before the end is sent before the end; nothing is sent after it."""
    wire = Wire()
    gathering = Gathering(wire, asyncio.get_running_loop(), _MANY)
    gathering.write(b"last words")
    gathering.close()
    assert (wire.heard, wire.closed, gathering.is_closing()) == ([b"last words"], True, True)
    gathering.write(b"too late")
    await asyncio.sleep(0)
    assert wire.heard == [b"last words"]


async def test_the_rest_is_the_transports_own() -> None:
    """Whoever asks for the peer, or holds up who sends, asks the transport itself."""
    wire = Wire()
    gathering = Gathering(wire, asyncio.get_running_loop(), _MANY)
    assert gathering.get_extra_info("peername") == "somebody"
    assert gathering.get_extra_info("sslcontext", "none") == "none"
    gathering.pause_reading()
    gathering.resume_reading()
    gathering.set_protocol(asyncio.Protocol())
    assert wire.told == ["pause", "resume", "Protocol"]
