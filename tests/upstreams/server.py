"""A vendor's server on loopback that records what it is asked and misbehaves on command."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from upstreams.connection import BadRequestError, Connection
from upstreams.dialects import DIALECTS, Dialect
from upstreams.dialects.answer import Answer
from upstreams.dialects.base import Endpoint
from upstreams.dialects.problems import Refused
from upstreams.exchange import AnswerSource, Exchange
from upstreams.messages import Reply, Request
from upstreams.opening import Own, open_account
from upstreams.records import Connections, Disconnect, Rejection
from upstreams.script import Scripted

T = TypeVar("T")


class Upstream(Scripted):
    """One vendor's server.

    Args:
        dialect: A vendor's name in `DIALECTS`, or a dialect.
        answer: What the model says.
        keys: API keys it accepts; None accepts any. Unless given: the dialect's own `key`.
        models: Models it serves; None accepts any. Unless given: the dialect's own.
        context_tokens: The longest prompt it accepts, at about four characters a token.
        keep: How many of the latest requests (and rejections, and disconnects) are remembered;
            None remembers all, which a benchmark would not want.
        port: The port to listen on; 0 takes a free one.
        tls: Speak TLS with this context.

    A request the vendor would refuse is refused, whatever is scripted; so a codec that writes
    nonsense fails its test even when the test is about something else. `rejections` has them.
    """

    def __init__(
        self,
        dialect: str | Dialect,
        *,
        answer: AnswerSource = Answer(),  # noqa: B008 - frozen
        keys: Iterable[str] | Own | None = Own.OWN,
        models: Iterable[str] | Own | None = Own.OWN,
        context_tokens: int | None = None,
        keep: int | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.dialect = DIALECTS[dialect] if isinstance(dialect, str) else dialect
        super().__init__(self.dialect.name)
        self.answer = answer
        """What the model says; may be changed at any time."""
        self.account = open_account(self.dialect, keys=keys, models=models, window=context_tokens)
        self.requests: list[Request] = []
        """Every request that arrived whole, in order."""
        self.rejections: list[Rejection] = []
        """Those the vendor refuses."""
        self.disconnects: list[Disconnect] = []
        """Clients that left before their answer was complete."""
        self.garbage: list[str] = []
        """What was wrong with bytes that were no HTTP request."""
        self.peak = 0
        """The most requests it ever treated at once."""
        self._accepted = 0
        self._open: dict[Connection, Request | None] = {}
        self._failures: list[Exception] = []
        self._changed = asyncio.Event()
        self._keep = keep
        self._listen_on = port
        self._tls = tls
        self._server: asyncio.Server | None = None

    # --- its addresses ---

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._listen_on, "enter the upstream first"
        return self._listen_on

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The URL a user would configure for this vendor."""
        return self.origin + self.dialect.prefix

    @property
    def https_url(self) -> str:
        """The base URL with `https`, for a TLS client to fail on when this speaks plain HTTP."""
        return self.base_url.replace("http://", "https://", 1)

    @property
    def key(self) -> str:
        """An API key it accepts; empty where none is needed."""
        if self.account.keys is None:
            return self.dialect.key or "any-key"
        return min(self.account.keys, default="")

    @property
    def model(self) -> str:
        """A model it serves."""
        usual = (name for name in self.dialect.models if self.account.knows_model(name))
        return next(usual, None) or min(self.account.models or {"any-model"})

    # --- what it saw ---

    @property
    def connections(self) -> Connections:
        """How many connections were accepted and how many are open now."""
        return Connections(self._accepted, len(self._open))

    @property
    def in_flight(self) -> int:
        """How many requests are being treated now."""
        return sum(request is not None for request in self._open.values())

    @property
    def last(self) -> Request:
        """The latest request."""
        return self.requests[-1]

    async def until(self, seen: Callable[[Self], object], *, within: float = 5.0) -> None:
        """Wait until something is seen: `await up.until(lambda up: up.disconnects)`.

        Raises:
            TimeoutError: It was not seen within that many seconds.
        """
        async with asyncio.timeout(within):
            while not seen(self):
                self._changed.clear()
                await self._changed.wait()

    # --- its life ---

    async def __aenter__(self) -> Self:
        """Start to listen."""
        await self.start()
        return self

    async def start(self) -> None:
        """Listen; after a `stop` on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._accept,
            "127.0.0.1",
            self._listen_on,
            ssl=self._tls,
            backlog=1024,
            ssl_handshake_timeout=_HANDSHAKE if self._tls else None,
        )
        self._listen_on = self._server.sockets[0].getsockname()[1]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and raise what a test's own answer or behaviour raised."""
        await self.stop()
        if self._failures and error is None:
            raise ExceptionGroup("the upstream's own code failed", self._failures)

    async def stop(self) -> None:
        """Stop listening and cut every connection; a later client is refused."""
        if self._server is None:
            return
        self._server.close()
        await _let_accepted_connections_be_made()
        while self._open:
            await asyncio.gather(*(connection.abort() for connection in self._open))
        await self._server.wait_closed()

    # --- inside ---

    def _accept(self) -> Connection:
        self._accepted += 1
        self._changed.set()
        return Connection(
            self._accepted,
            opened=self._opened,
            serve=self._serve,
            left=self._client_left,
            done=self._done,
        )

    def _opened(self, connection: Connection) -> None:
        self._open[connection] = None

    def _done(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        self._changed.set()

    async def _serve(self, connection: Connection) -> None:
        try:
            while not connection.ended:
                request = await connection.read_request()
                if request is None:
                    return
                await self._treat(request, connection)
                if request.headers.get("connection", "").lower() == "close":
                    return
        except BadRequestError as error:
            self.garbage.append(str(error))
            await connection.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        except Exception as error:  # noqa: BLE001 - a test's own function failed: raised at exit
            self._failures.append(error)

    async def _treat(self, request: Request, connection: Connection) -> None:
        self._note(self.requests, request)
        self._open[connection] = request
        self.peak = max(self.peak, self.in_flight)
        connection.sent = 0
        self._changed.set()
        try:
            await self._answer(request, connection)
        finally:
            self._open[connection] = None
            self._changed.set()

    async def _answer(self, request: Request, connection: Connection) -> None:
        endpoint = self.dialect.endpoint(request)
        if endpoint is None:
            await self._refuse(request, connection, self.dialect.no_route(request))
        else:
            await self._play(request, connection, endpoint)

    async def _play(self, request: Request, connection: Connection, endpoint: Endpoint) -> None:
        try:
            endpoint.check(request, self.account)
        except Refused as refusal:
            reply = endpoint.fail(refusal.problem, refusal.message, refusal.param)
            await self._refuse(request, connection, reply)
            return
        exchange = Exchange(request, endpoint, self.account, connection, self.answer, self.origin)
        await self.next_for(endpoint)(exchange)

    async def _refuse(self, request: Request, connection: Connection, reply: Reply) -> None:
        self._note(self.rejections, Rejection(request, reply))
        await connection.write(reply.head(length=len(reply.body)) + reply.body)

    def _client_left(self, connection: Connection) -> None:
        request = self._open.get(connection)
        if request is not None:
            left = Disconnect(request, time.monotonic(), connection.sent)
            self._note(self.disconnects, left)
        self._changed.set()

    def _note(self, notes: list[T], note: T) -> None:
        notes.append(note)
        if self._keep is not None:
            del notes[: -self._keep]


_HANDSHAKE = 2.0
"""Seconds a TLS client may take to say hello."""


async def _let_accepted_connections_be_made() -> None:
    """Give the loop its two turns between accepting a socket and telling the protocol."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
