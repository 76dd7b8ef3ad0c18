"""Whether all of a request is there when it is begun, as the server's protocol tells it."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from faultmaven.cli.doorway import DoorProtocol
from faultmaven.models.arrival import ARRIVED

_LENGTH = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n"
_CHUNKED = b"POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n"


async def _told(*packets: bytes) -> tuple[bool, bytes]:
    """What a request is begun with, and its body; each packet comes a while after the last."""
    begun = asyncio.get_running_loop().create_future()
    read = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set_result(ARRIVED in scope)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        read.set_result(body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, interface="asgi3", lifespan="off", log_config=None, ws="none")
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: DoorProtocol(config, ServerState(), {}), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(20):
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await begun
        found = await begun, await read
        writer.close()
        return found


@pytest.mark.parametrize(
    ("packets", "arrived"),
    [
        ([_LENGTH % 4 + b"body"], True),
        ([_CHUNKED + b"4\r\nbody\r\n0\r\n\r\n"], True),
        ([_LENGTH % 4 + b"bo", b"dy"], False),
        ([_LENGTH % 4, b"body"], False),
        ([_CHUNKED + b"4\r\nbody\r\n", b"0\r\n\r\n"], False),
    ],
    ids=["whole", "whole in chunks", "half", "head alone", "without its end"],
)
async def test_a_request_says_whether_its_body_is_there(
    packets: list[bytes], *, arrived: bool
) -> None:
    """Only what came with the head counts, and it is read all the same whenever it comes."""
    assert await _told(*packets) == (arrived, b"body")
