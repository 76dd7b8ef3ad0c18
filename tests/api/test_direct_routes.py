"""The short way to the busiest operations, with endpoints that fail in every way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from api.service import scope_of
from faultmaven.api.direct_routes import DirectRoutes
from faultmaven.api.errors import install_error_handlers
from faultmaven.api.middleware import RequestMiddleware
from faultmaven.errors import FaultMavenError, OverloadedError
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics
from observability.directory_of_tests import Directory

PATH = "/fails"
OURS = OverloadedError("too much", retry_after=2)


class BrokenOff(Response):
    """A response that fails once its head has left."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin, and fail."""
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise self._error


async def ask(error: BaseException, *, late: bool = False) -> list[Message]:
    """Ask an operation that fails so; gives what was sent, beside what was raised."""
    router, app, sent = APIRouter(), FastAPI(), list[Message]()

    @router.post(PATH)
    async def fail(_request: Request) -> Response:
        if late:
            return BrokenOff(error)
        raise error

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    install_error_handlers(app)
    routes = DirectRoutes(app, routers=[router], handlers=app.exception_handlers)
    metrics = Metrics(Directory(), HealthTracker(Directory()))
    try:
        await RequestMiddleware(routes, metrics=metrics)(
            {**scope_of(PATH), "app": app}, receive, send
        )
    except Exception as raised:  # noqa: BLE001 - whichever it is, it is looked at
        sent.append({"type": "raised", "error": raised})
    return sent


def shape(sent: list[Message]) -> list[Any]:
    """Tell the kinds of what was sent, and the status."""
    return [message.get("status", message["type"]) for message in sent]


@pytest.mark.parametrize(
    ("error", "status"), [(OURS, 503), (HTTPException(404), 404), (FaultMavenError("no"), 500)]
)
async def test_a_foreseen_error_is_answered(error: Exception, status: int) -> None:
    """As its handler says, and that is the end of it."""
    sent = await ask(error)
    assert shape(sent) == [status, "http.response.body"]
    assert b"request_id" in sent[1]["body"]


async def test_an_unforeseen_error_is_answered_and_told_to_the_server() -> None:
    """500 for the caller, the error itself for the server's log."""
    error = ZeroDivisionError()
    sent = await ask(error)
    assert shape(sent) == [500, "http.response.body", "raised"]
    assert sent[2]["error"] is error


@pytest.mark.parametrize("error", [OURS, ZeroDivisionError()])
async def test_what_comes_too_late_is_answered_no_more(error: Exception) -> None:
    """A head that has left stands: the server hears of the error and closes the connection."""
    sent = await ask(error, late=True)
    assert shape(sent) == [200, "raised"]
    assert sent[1]["error"] is error


async def test_a_cancellation_is_no_error() -> None:
    """A server that stops has its cancellation heard, and nothing is answered."""
    with pytest.raises(asyncio.CancelledError):
        await ask(asyncio.CancelledError())
