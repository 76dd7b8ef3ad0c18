"""One request and the chance to answer it, well or badly."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from upstreams.connection import Connection
from upstreams.dialects.answer import Answer
from upstreams.dialects.base import Account, Completing, Describing, Endpoint
from upstreams.dialects.stream import Event, Framing, Stage
from upstreams.messages import LAST_CHUNK, Reply, Request, chunk

Said = str | Mapping[str, Any] | Answer
"""What the model says: a text, a mapping (sent as JSON text), or a whole `Answer`."""

AnswerSource = Said | Callable[[Request], Said]
"""What the model says, or how it makes that up from the request."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a behaviour may look at and do."""

    request: Request
    endpoint: Endpoint
    account: Account
    connection: Connection
    source: AnswerSource
    origin: str
    """Where this upstream lives: scheme, host and port."""

    @property
    def completing(self) -> Completing:
        """The endpoint, where a model answers there."""
        assert isinstance(self.endpoint, Completing)
        return self.endpoint

    @property
    def streaming(self) -> bool:
        """Whether the request asks for a stream."""
        return isinstance(self.endpoint, Completing) and self.endpoint.streams(self.request)

    def said(self, **changes: Any) -> Answer:
        """Ask what the model says, with fields of `Answer` changed."""
        return replace(resolve(self.source, self.request), **changes)

    def answer(self, **changes: Any) -> Reply:
        """Write the good answer in the vendor's format, with fields of `Answer` changed.

        A stream is one body here. A call without a model's words has only one good answer,
        whatever the changes.
        """
        if isinstance(self.endpoint, Completing):
            return self.endpoint.answer(self.request, self.said(**changes))
        assert isinstance(self.endpoint, Describing)
        return self.endpoint.describe(self.request, self.account)

    def events(self, **changes: Any) -> list[Event]:
        """Give the good answer's events, with fields of `Answer` changed."""
        return list(self.completing.events(self.request, self.said(**changes)))

    async def send(self, reply: Reply) -> None:
        """Send a whole answer."""
        await self.write(reply.head(length=len(reply.body)) + reply.body)

    async def answer_well(self, **changes: Any) -> None:
        """Send the good answer: a stream piece by piece, anything else at once."""
        if not self.streaming:
            await self.send(self.answer(**changes))
            return
        said = self.said(**changes)
        await self.open_stream()
        await self.tell(self.completing.events(self.request, said), delay=said.delay)
        await self.end_stream()

    async def open_stream(self, framing: Framing | None = None) -> None:
        """Send the head of a stream."""
        used = framing or self.completing.framing
        headers = used.headers(*self.completing.answer_headers, ("transfer-encoding", "chunked"))
        await self.write(Reply(200, headers=headers).head(length=None))

    async def tell(
        self, events: Iterable[Event], *, framing: Framing | None = None, delay: float = 0.0
    ) -> None:
        """Send events, each in a chunk of its own, with seconds between two pieces of content."""
        used = framing or self.completing.framing
        begun = False
        for event in events:
            piece = event.stage in {Stage.CONTENT, Stage.THINKING}
            await asyncio.sleep(delay if piece and begun else 0)
            begun |= piece
            await self.write(chunk(used.write(event)))

    async def end_stream(self) -> None:
        """End a stream's body; the connection stays."""
        await self.write(LAST_CHUNK)

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.connection.write(data)

    async def silence(self) -> None:
        """Say nothing until the client leaves or the upstream closes."""
        await asyncio.get_running_loop().create_future()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.connection.reset()

    def close(self) -> None:
        """End the connection in an orderly way."""
        self.connection.close()


Behaviour = Callable[[Exchange], Awaitable[None]]
"""How an upstream treats one request."""


def resolve(source: AnswerSource, request: Request) -> Answer:
    """Ask an answer source what the model says to this request."""
    said = source(request) if callable(source) else source
    return said if isinstance(said, Answer) else Answer(text=said)


async def answer_well(exchange: Exchange) -> None:
    """Answer as the vendor does on a good day."""
    await exchange.answer_well()
