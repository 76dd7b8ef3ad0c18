"""One request and the chance to answer it, well or badly."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from upstreams.connection import Connection
from upstreams.dialects.answer import Answer
from upstreams.dialects.base import Account, Completing, Endpoint, Free
from upstreams.messages import Reply, Request

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

    def answer(self, **changes: Any) -> Reply:
        """Write the good answer in the vendor's format, with fields of `Answer` changed.

        A call that costs nothing has only one good answer, whatever the changes.
        """
        if isinstance(self.endpoint, Completing):
            said = resolve(self.source, self.request)
            return self.endpoint.answer(self.request, replace(said, **changes))
        assert isinstance(self.endpoint, Free)
        return self.endpoint.describe(self.request, self.account)

    async def send(self, reply: Reply) -> None:
        """Send a whole answer."""
        await self.write(reply.head(length=len(reply.body)) + reply.body)

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
    await exchange.send(exchange.answer())
