"""The two middlewares by themselves, with a clock and a server that the test plays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api.service import scope_of
from doubles import FakeTime
from faultmaven.api.body_limit import BodyLimitMiddleware
from faultmaven.api.middleware import RequestMiddleware
from faultmaven.api.refusals import BodyTimeoutError, BodyTooLargeError
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.request import require_request
from faultmaven.models.arrival import ARRIVED
from observability.directory_of_tests import Directory, answered
from observability.log_of_tests import Listener, LogFormat, log_to_text, without_time


async def never() -> Message:
    """Receive nothing, ever."""
    await asyncio.Event().wait()
    raise AssertionError("for ever is over")


class Server:
    """Plays a server for one request."""

    def __init__(self, *incoming: Message) -> None:
        self.incoming = list(incoming)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """Give the next message, or wait for ever."""
        return self.incoming.pop(0) if self.incoming else await never()

    async def send(self, message: Message) -> None:
        """Take a message."""
        self.sent.append(message)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        pairs: Sequence[tuple[bytes, bytes]] = self.sent[0]["headers"]
        return {name.decode(): value.decode() for name, value in pairs}


def chunk(body: bytes, *, more: bool = False) -> Message:
    """One message of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def metrics() -> Metrics:
    """Metrics that were told nothing."""
    return Metrics(Directory(), HealthTracker(Directory()))


async def test_overhead_leaves_out_the_time_of_providers() -> None:
    """Of 302 ms, 300 were an attempt's: 2 ms are ours, in the header and in the histogram."""
    time, measured = FakeTime(), metrics()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        time.now += 0.302
        measured.on_start("one")
        measured.on_attempt(answered(queue_ms=100.0, total_ms=200.0))
        await PlainTextResponse("ok")(scope, receive, send)

    server = Server()
    await RequestMiddleware(app, metrics=measured, clock=time.clock)(
        scope_of("/"), server.receive, server.send
    )
    assert server.headers["x-faultmaven-overhead-ms"] == "2.000"
    text = measured.expose()[0].decode().splitlines()
    assert 'faultmaven_gateway_overhead_seconds_bucket{le="0.003"} 1.0' in text
    assert 'faultmaven_gateway_overhead_seconds_bucket{le="0.001"} 0.0' in text


async def test_an_application_that_fails_counts_as_500(caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody answered is measured and logged, and goes on to the server."""
    measured = metrics()

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    server = Server()
    with caplog.at_level(logging.INFO, logger="faultmaven"), pytest.raises(ZeroDivisionError):
        await RequestMiddleware(app, metrics=measured)(scope_of("/"), server.receive, server.send)
    text = measured.expose()[0].decode()
    assert 'faultmaven_requests_total{route="other",status="500"} 1.0' in text
    assert "faultmaven_requests_in_flight 0.0" in text
    (record,) = caplog.records
    assert record.levelname == "WARNING"


@pytest.mark.parametrize(
    ("path", "status", "level"),
    [
        ("/health/live", 200, "DEBUG"),
        ("/health/ready", 503, "WARNING"),
        ("/metrics", 200, "DEBUG"),
        ("/api/v1/query", 200, "INFO"),
        ("/api/v1/query", 422, "INFO"),
        ("/api/v1/query", 503, "WARNING"),
    ],
)
async def test_a_request_is_one_line(
    path: str, status: int, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Machines that ask every few seconds stay out of the way until something is wrong."""
    time = FakeTime()

    class Route:
        """Stands where a router leaves what it matched."""

        def __init__(self) -> None:
            self.path = path

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = Route()
        time.now += 0.25
        await Response(status_code=status)(scope, receive, send)

    server = Server()
    scope = scope_of(f"{path}?key=secret", x_request_id="r-1")
    scope["raw_path"] = path.encode() + b"/%0Aforged"
    with caplog.at_level(logging.DEBUG, logger="faultmaven"):
        await RequestMiddleware(app, metrics=metrics(), clock=time.clock)(
            scope, server.receive, server.send
        )
    (record,) = caplog.records
    assert record.levelname == level
    assert record.getMessage() == f"POST {path}/%0Aforged {status} in 250 ms"
    fields: dict[str, Any] = vars(record)["fields"]
    assert fields == {
        "event": "request",
        "method": "POST",
        "path": f"{path}/%0Aforged",
        "route": path,
        "status": status,
        "duration_ms": 250.0,
        "overhead_ms": 250.0,
        "attempts": 0,
    }


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/chat/completions", None),
        ("/v1/chat/completions", "it went wrong with sk-ant-api03-abcdefghijklmnop1234"),
        ("/sk-ant-api03-abcdefghijklmnop1234/x", None),
        ("/x?password=", None),
        ("/x/--password", "1234567"),
    ],
)
async def test_the_line_is_the_same_whoever_else_listens(
    path: str, detail: str | None, log_format: LogFormat
) -> None:
    """Without a record the line is what it is with one, to what is masked in it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = require_request()
        request.problem, request.detail = "internal", detail
        await Response(status_code=500)(scope, receive, send)

    lines = []
    for others in ((), (Listener(),)):
        with log_to_text(log_format, *others) as written:
            middleware = RequestMiddleware(app, metrics=metrics(), clock=FakeTime().clock)
            server = Server()
            await middleware(scope_of(path, x_request_id="r-1"), server.receive, server.send)
            await asyncio.sleep(0)
        lines.append(without_time(written.getvalue()))
    assert lines[0] == lines[1]
    assert "POST /" in lines[0]
    assert "abcdefghijklmnop1234" not in lines[0]


async def test_other_connections_pass() -> None:
    """A lifespan is no request."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    server = Server()
    for middleware in (
        RequestMiddleware(app, metrics=metrics()),
        BodyLimitMiddleware(app, bounds=Bounds),
    ):
        await middleware({"type": "lifespan"}, server.receive, server.send)
    assert seen == ["lifespan", "lifespan"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a service that takes ten bytes."""

    max_body_bytes: int = 10
    request_timeout: float = 60.0


async def read(
    server: Server, *, seconds: float = 60, arrived: bool = False, **headers: str
) -> bytes:
    """Read a body of at most ten bytes, as an endpoint does."""
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        bodies.append(await Request(scope, receive).body())

    middleware = BodyLimitMiddleware(app, bounds=lambda: Bounds(request_timeout=seconds))
    scope = {**scope_of("/", **headers), **({ARRIVED: True} if arrived else {})}
    await middleware(scope, server.receive, server.send)
    return bodies[0]


async def test_a_body_within_the_limit_is_read_whole() -> None:
    """Ten bytes in pieces are ten bytes."""
    assert await read(Server(chunk(b"01234", more=True), chunk(b"56789"))) == b"0123456789"


async def test_an_announced_length_is_refused_unread() -> None:
    """What is announced as too long is not waited for."""
    server = Server(chunk(b"x"))
    with pytest.raises(BodyTooLargeError):
        await read(server, content_length="11")
    assert len(server.incoming) == 1


async def test_an_unannounced_length_is_counted() -> None:
    """Chunks are added up; the one that is too much is the last that is read."""
    server = Server(*[chunk(b"abcd", more=True)] * 10)
    with pytest.raises(BodyTooLargeError):
        await read(server, content_length="1")
    assert len(server.incoming) == 7


async def test_a_body_that_is_there_is_bounded_by_what_was_announced() -> None:
    """The server reads no more than that; it is refused unread all the same if it is too long."""
    whole = [chunk(b"0123456789")]
    assert await read(Server(*whole), arrived=True, content_length="10") == b"0123456789"
    with pytest.raises(BodyTooLargeError):
        await read(Server(chunk(b"0123456789a")), arrived=True, content_length="11")


@pytest.mark.parametrize("headers", [{}, {"content_length": "0"}, {"content_length": "ten"}])
async def test_a_body_that_is_there_unannounced_is_counted(headers: Mapping[str, Any]) -> None:
    """Nobody else has counted its bytes."""
    with pytest.raises(BodyTooLargeError):
        await read(Server(chunk(b"0123456789a")), arrived=True, **headers)


async def test_a_body_that_does_not_come_is_given_up() -> None:
    """Half a body and silence ends after the time that a request may take."""
    with pytest.raises(BodyTimeoutError, match=r"within 0\.01 seconds"):
        await read(Server(chunk(b"ab", more=True)), seconds=0.01)


async def test_waiting_for_the_caller_to_leave_has_no_limit() -> None:
    """Once the body is there, what comes next may take as long as the answer does."""

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        await Request(scope, receive).body()
        await asyncio.sleep(0.03)
        waiting = asyncio.ensure_future(receive())
        done, _ = await asyncio.wait([waiting], timeout=0.03)
        assert not done
        waiting.cancel()

    server = Server(chunk(b"ab"))
    middleware = BodyLimitMiddleware(app, bounds=lambda: Bounds(request_timeout=0.01))
    await middleware(scope_of("/"), server.receive, server.send)
