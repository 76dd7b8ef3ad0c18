"""A caller who leaves is noticed by the server's protocol, which tells who answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from faultmaven.api.disconnect import unless_gone
from faultmaven.api.refusals import ClientGoneError
from faultmaven.cli.doorway import DoorProtocol
from faultmaven.models.departure import TELL

_HEAD = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n"


class Service:
    """Reads a request, and works on it for ever.

    Attributes:
        at_work: set once somebody would hear of a departure.
        left: set by one, told by the server's protocol or by the request's channel.
    """

    def __init__(self, *, later: float = 0.0, by_server: bool = True) -> None:
        self._later = later
        self._by_server = by_server
        self.at_work = asyncio.Event()
        self.left = asyncio.Event()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Never answer."""
        del send
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(self._later)
        try:
            tell = scope[TELL] if self._by_server else None
            await unless_gone(receive, self._work(), tell=tell)
        except ClientGoneError:
            self.left.set()

    async def _work(self) -> None:
        self.at_work.set()
        await asyncio.Event().wait()


class Answering(Service):
    """Answers with next to nothing."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        del scope, receive
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        self.left.set()


@asynccontextmanager
async def _asked(
    service: Service, request: bytes, *, made: list[weakref.ref[DoorProtocol]] | None = None
) -> AsyncIterator[asyncio.StreamWriter]:
    """A connection to the service that has asked something; ``made`` gets what serves it."""
    config = uvicorn.Config(
        service.answer,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        ws="none",
        timeout_keep_alive=3600,
    )
    config.load()

    def serve() -> DoorProtocol:
        protocol = DoorProtocol(config, ServerState(), {})
        if made is not None:
            made.append(weakref.ref(protocol))
        return protocol

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request)
        await writer.drain()
        yield writer
        writer.close()


@pytest.mark.parametrize("length", [0, 2, 1_000_000], ids=["nothing", "little", "much"])
async def test_who_leaves_while_there_is_work_is_noticed(length: int) -> None:
    """However much they sent before, and however the server was held up by that."""
    service = Service()
    async with _asked(service, _HEAD % length + bytes(length)) as caller:
        await service.at_work.wait()
        assert not service.left.is_set()
        caller.close()
        await service.left.wait()


async def test_who_leaves_before_the_work_begins_is_noticed() -> None:
    """The departure is told as soon as somebody would hear of it."""
    service = Service(later=0.1)
    async with _asked(service, _HEAD % 0) as caller:
        caller.transport.abort()
        await service.left.wait()


@pytest.mark.parametrize("by_server", [True, False], ids=["told", "by the channel"])
async def test_who_asks_again_before_the_answer_is_noticed_leaving(*, by_server: bool) -> None:
    """A request that waits its turn does not hide the end of the connection."""
    service = Service(by_server=by_server)
    async with _asked(service, (_HEAD % 0) * 3) as caller:
        await service.at_work.wait()
        caller.close()
        await service.left.wait()


async def _idle(made: list[weakref.ref[DoorProtocol]]) -> None:
    """Until the connection waits for a request."""
    while (serving := made[0]()) is not None and serving.timeout_keep_alive_task is None:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)


async def _gone(made: list[weakref.ref[DoorProtocol]]) -> None:
    """Until nobody knows what served the connection."""
    while made[0]() is not None:  # noqa: ASYNC110 - objects tell nobody when they go
        await asyncio.sleep(0.01)


@pytest.mark.usefixtures("without_collector")
async def test_what_served_who_has_left_is_gone_at_once() -> None:
    """No ring of objects is left of it that only the garbage collector would find."""
    service, made = Service(), list[weakref.ref[DoorProtocol]]()
    async with _asked(service, _HEAD % 0, made=made) as caller:
        await service.at_work.wait()
        caller.close()
        await service.left.wait()
        await _gone(made)


@pytest.mark.usefixtures("without_collector")
async def test_what_served_who_broke_off_after_the_answer_is_gone_at_once() -> None:
    """Neither does it wait for the time at which an idle connection would be closed."""
    service, made = Answering(), list[weakref.ref[DoorProtocol]]()
    async with _asked(service, _HEAD % 0, made=made) as caller:
        await service.left.wait()
        await _idle(made)
        at_once = struct.pack("ii", 1, 0)  # with a reset, as when a caller's process dies
        caller.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        caller.transport.abort()
        await _gone(made)
