"""The fault proxy does to connections what networks do."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from upstreams.proxy import BLACK_HOLE, End, FaultProxy, Line

_TEXT = b"x" * 1000


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """Give a proxy in front of a server that sends 1000 bytes and closes."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(_TEXT)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server, FaultProxy(server.sockets[0].getsockname()[1]) as between:
        yield between


async def _ask(proxy: FaultProxy, *, patience: float = 5.0) -> tuple[int, str]:
    """Ask once; how many bytes came, and how the connection ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"go\n")
    got = b""
    try:
        async with asyncio.timeout(patience):
            while piece := await reader.read(1 << 16):
                got += piece
    except TimeoutError:
        return len(got), "silent"
    except ConnectionResetError:
        return len(got), "reset"
    finally:
        writer.close()
    return len(got), "closed"


async def test_passes_everything(proxy: FaultProxy) -> None:
    """Nothing is changed unless somebody asks for it."""
    assert await _ask(proxy) == (1000, "closed")
    assert proxy.accepted == 1


async def test_ends_as_told_after_so_many_bytes(proxy: FaultProxy) -> None:
    """Each scripted connection ends in its way after exactly its bytes; then they pass again."""
    proxy.script(Line(after=100), Line(after=0, end=End.RESET), Line(after=7, end=End.SILENT))
    assert await _ask(proxy) == (100, "closed")
    assert (await _ask(proxy))[1] == "reset"
    assert await _ask(proxy, patience=0.2) == (7, "silent")
    assert await _ask(proxy) == (1000, "closed")


async def test_a_black_hole_gives_nothing_back(proxy: FaultProxy) -> None:
    """The connection is taken, and nothing comes."""
    proxy.default = BLACK_HOLE
    assert await _ask(proxy, patience=0.2) == (0, "silent")


async def test_delays_and_throttles(proxy: FaultProxy) -> None:
    """A late line begins no earlier than it may, a slow one takes at least its time."""
    proxy.script(Line(delay=0.2), Line(rate=4000))
    started = time.monotonic()
    assert await _ask(proxy) == (1000, "closed")
    assert time.monotonic() - started >= 0.2
    started = time.monotonic()
    assert await _ask(proxy) == (1000, "closed")
    assert time.monotonic() - started >= 0.2


async def test_refuses_and_accepts_again_on_its_port(proxy: FaultProxy) -> None:
    """An outage refuses connections, resets open ones, and ends on the same port."""
    port, proxy.default = proxy.port, BLACK_HOLE
    asking = asyncio.ensure_future(_ask(proxy))
    await asyncio.wait({asking}, timeout=0.1)
    assert proxy.open == 1
    await proxy.refuse()
    assert (await asking)[1] == "reset"
    with pytest.raises(ConnectionRefusedError):
        await _ask(proxy)
    proxy.default = Line()
    await proxy.accept()
    assert proxy.port == port
    assert await _ask(proxy) == (1000, "closed")
