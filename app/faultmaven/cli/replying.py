"""Answers are written with less ado than the server makes of them, and whole ones in one piece.

The server examines each header by itself, and writes head and body apart: each write is a system
call, and on the other side a wake-up. For a short answer that is a good part of what it costs to
serve it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_CONTROLS = frozenset((*range(0x20), 0x7F)) - frozenset(b"\t\r\n")
# In a value, the server refuses them, and so a head with one is left to it.
_USUAL = bytes(byte for byte in range(256) if byte not in _CONTROLS)
_OF_THE_CONNECTION = frozenset((b"connection", b"transfer-encoding"))


class Replying:
    """An application whose answer to one request is written in one piece, if it is whole.

    It has to be of a stated length; any other is written as the server does. The head of such an
    answer is held until its body comes. Of a stream, only what goes on is written here: the server
    sees to its beginning and its end.

    Args:
        app: answers.
        cycle: the server's record of the request.
    """

    __slots__ = ("_app", "_cycle", "_head")

    def __init__(self, app: ASGIApp, cycle: RequestResponseCycle) -> None:
        self._app = app
        self._cycle = cycle
        self._head: Message | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Have the request answered."""
        del send  # ours goes on to it
        return self._app(scope, receive, self.send)

    async def send(self, message: Message) -> None:
        """Take one message of the application.

        Raises:
            RuntimeError: it does not belong here, or is not what the head announced.
        """
        head = self._head
        if head is None:
            if self._cycle.waiting_for_100_continue:
                self._mind_the_body()
            if not self._is_piece(message) and not self._is_held(message):
                await self._cycle.send(message)  # type: ignore[arg-type]  # the same, in the server's words
            return
        self._head = None
        if not self._written(head, message):
            await self._cycle.send(head)  # type: ignore[arg-type]  # as above
            await self._cycle.send(message)  # type: ignore[arg-type]  # as above

    def _mind_the_body(self) -> None:
        """Close after an answer to a caller who waits to be asked for the body, and was not.

        It may come all the same, or never: what follows could not be told from it.
        https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
        """
        self._cycle.keep_alive = False

    def _is_piece(self, message: Message) -> bool:
        """Write a piece of a stream that goes on, as the server would."""
        cycle = self._cycle
        if not cycle.chunked_encoding or not message.get("more_body") or not message.get("body"):
            return False
        if cycle.flow.write_paused or cycle.disconnected or cycle.response_complete:
            return False
        if cycle.scope["method"] == "HEAD":
            return False
        body = message["body"]
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(body), body))
        return True

    def _is_held(self, message: Message) -> bool:
        """Keep a head that is the server's first of this request, and says how long its body is."""
        if self._cycle.response_started or message["type"] != "http.response.start":
            return False
        for name, _ in message.get("headers", ()):
            if name == b"content-length":
                self._head = message
                return True
        return False

    def _written(self, head: Message, message: Message) -> bool:
        """Write an answer that is whole; ``False`` where anything about it is unusual."""
        cycle = self._cycle
        if message["type"] != "http.response.body" or message.get("more_body") or not self._ready():
            return False
        body = message.get("body", b"")
        written = _head(head["status"], [*cycle.default_headers, *head["headers"]], len(body))
        if written is None:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(written + body)
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _ready(self) -> bool:
        """Whether the connection goes on, and nothing has to be waited for or told beside it."""
        cycle = self._cycle
        if cycle.disconnected or cycle.flow.write_paused or cycle.waiting_for_100_continue:
            return False
        return cycle.keep_alive and cycle.scope["method"] != "HEAD"


def _head(status: int, headers: list[tuple[bytes, bytes]], length: int) -> bytes | None:
    """The head of an answer, or ``None`` where the server had better look at it itself.

    Names are in lower case, as ASGI demands.
    """
    parts: list[Any] = [STATUS_LINE[status]]
    for name, value in headers:
        if name in _OF_THE_CONNECTION or (name == b"content-length" and int(value) != length):
            return None
        parts += (name, b": ", value, b"\r\n")
    parts.append(b"\r\n")
    written = b"".join(parts)
    ends = len(headers) + 2
    # No header may bring a line of its own along.
    if written.count(b"\n") != ends or written.count(b"\r") != ends:
        return None
    return None if written.translate(None, _USUAL) else written
