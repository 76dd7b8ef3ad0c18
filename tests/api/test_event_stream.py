"""A response that is written while it is found out: its head, its comments, its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.test_disconnect import messages
from faultmaven.api.event_stream import EventStream, LiveResponse
from faultmaven.api.refusals import ClientGoneError
from faultmaven.errors import AllProvidersFailedError

_COMMENT = b": keep-alive\n\n"


class Wire:
    """What was sent, in order."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.commented = asyncio.Event()

    async def send(self, message: Any) -> None:
        """Remember it."""
        self.sent.append(message)
        if message.get("body") == _COMMENT:
            self.commented.set()

    @property
    def body(self) -> bytes:
        """Everything behind the head."""
        return b"".join(message.get("body", b"") for message in self.sent)

    async def served(self, produce: Any, *coming: dict[str, Any], heartbeat: float = 0.02) -> None:
        """Serve a caller who stays, or of whom these messages come."""
        response = LiveResponse(produce, heartbeat=heartbeat)
        await response({"type": "http"}, messages(*coming), self.send)


async def test_whoever_waits_hears_comments_before_and_between_the_events() -> None:
    """While nothing is said for a while, comments keep the connection; events stay whole."""
    wire = Wire()

    async def produce(stream: EventStream) -> None:
        await wire.commented.wait()
        await stream.write(b"data: one\n\n")
        wire.commented.clear()
        await wire.commented.wait()
        await stream.write(b"data: two\n\n")

    async with asyncio.timeout(5):
        await wire.served(produce)
    assert [m["type"] for m in wire.sent].count("http.response.start") == 1
    assert wire.body.replace(_COMMENT, b"") == b"data: one\n\ndata: two\n\n"
    assert wire.body.startswith(_COMMENT)
    assert wire.sent[-1]["more_body"] is False
    assert len(asyncio.all_tasks()) == 1, "nobody goes on beating"


async def test_the_head_waits_for_the_answer_so_that_a_failure_can_be_a_status() -> None:
    """What fails before the first event and the first comment is an ordinary error."""
    wire = Wire()

    async def produce(_stream: EventStream) -> None:
        raise AllProvidersFailedError("All providers failed")

    with pytest.raises(AllProvidersFailedError):
        await wire.served(produce, heartbeat=60)
    assert wire.sent == []


async def test_headers_go_with_the_head_and_never_after_it() -> None:
    """Who opens the stream names its headers; what comes later is dropped, not an error."""
    wire = Wire()

    async def produce(stream: EventStream) -> None:
        await stream.open({"X-One": "1"})
        await stream.open({"X-Two": "2"})

    await wire.served(produce, heartbeat=60)
    headers = dict(wire.sent[0]["headers"])
    assert headers[b"x-one"] == b"1"
    assert b"x-two" not in headers
    assert headers[b"content-type"].startswith(b"text/event-stream")


async def test_a_caller_who_leaves_ends_it() -> None:
    """The work is cancelled, and no comment is written to nobody."""
    ended = asyncio.Event()

    async def produce(_stream: EventStream) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ClientGoneError):
        await Wire().served(produce, {"type": "http.disconnect"})
    assert ended.is_set()
    assert len(asyncio.all_tasks()) == 1
