"""Connections that are kept, lent and limited, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import pytest

from faultmaven.errors import ProviderConnectionError, ProviderTimeoutError
from faultmaven.infrastructure.llm.transport import Engine, EngineName, PoolLimits, new_transport
from faultmaven.infrastructure.llm.transport.address import Origin
from faultmaven.infrastructure.llm.transport.connection import Connection
from faultmaven.infrastructure.llm.transport.dialing import first_to_answer
from llm.questions import ENGINES, KEY, question
from upstreams import Upstream, black_hole


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Name each engine in turn."""
    name: EngineName = request.param
    return name


@pytest.fixture
async def limited(engine: EngineName) -> AsyncIterator[Callable[[PoolLimits], Engine]]:
    """Make transports with limits; they are closed in the end."""
    async with AsyncExitStack() as stack:

        def make(limits: PoolLimits) -> Engine:
            transport = new_transport(engine, limits)
            stack.push_async_callback(transport.aclose)
            return transport

        yield make


async def _crowd(transport: Engine, up: Upstream, size: int) -> None:
    await asyncio.gather(*(transport.send(question(up), timeout=5) for _ in range(size)))


async def test_no_more_connections_than_allowed(
    limited: Callable[[PoolLimits], Engine], up: Upstream
) -> None:
    """A crowd waits for its turns, and all of it is served."""
    await _crowd(limited(PoolLimits(connections=3)), up, 20)
    assert len(up.requests) == 20
    assert up.connections.accepted == 3


async def test_who_leaves_the_queue_costs_nobody_a_turn(
    limited: Callable[[PoolLimits], Engine], up: Upstream
) -> None:
    """The turn of somebody who gave up goes to the next."""
    transport = limited(PoolLimits(connections=1))
    up.script("stalled_headers")
    first = asyncio.create_task(transport.send(question(up), timeout=60))
    await up.until(lambda up: up.requests)
    with pytest.raises(ProviderTimeoutError):
        await transport.send(question(up), timeout=0.05)
    waiting = [asyncio.create_task(transport.send(question(up), timeout=60)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    first.cancel()
    answers = await asyncio.gather(*waiting[1:])
    assert [answer.status for answer in answers] == [200, 200]
    await asyncio.gather(first, waiting[0], return_exceptions=True)


async def test_few_idle_connections_are_kept(
    limited: Callable[[PoolLimits], Engine], up: Upstream
) -> None:
    """What is more than may be kept closes at once."""
    await _crowd(limited(PoolLimits(idle=2)), up, 6)
    await up.until(lambda up: up.connections.open == 2)


async def test_the_longest_unused_makes_room_for_the_last_used(up: Upstream) -> None:
    """A server that is asked keeps its connection, whatever else is kept for nobody."""
    transport = new_transport("httptools", PoolLimits(idle=2))
    async with Upstream("openai", keys={KEY}) as other:
        await _crowd(transport, other, 2)
        for _ in range(3):
            await transport.send(question(up), timeout=5)
        await other.until(lambda other: other.connections.open == 1)
        await transport.aclose()
    assert up.connections.accepted == 1


async def test_a_full_pool_makes_room_for_another_server(
    limited: Callable[[PoolLimits], Engine], up: Upstream
) -> None:
    """An idle connection elsewhere is closed rather than a request kept waiting."""
    transport = limited(PoolLimits(connections=2))
    await _crowd(transport, up, 2)
    async with Upstream("openai", keys={KEY}) as other:
        await _crowd(transport, other, 1)
        await up.until(lambda up: up.connections.open == 1)


async def test_idle_connections_close_without_being_asked(up: Upstream) -> None:
    """After their time, whether or not anybody sends anything."""
    transport = new_transport("httptools", PoolLimits(idle_seconds=0.05))
    await _crowd(transport, up, 3)
    await up.until(lambda up: up.connections.accepted == 3 and up.connections.open == 0)
    await transport.aclose()


async def test_a_reset_on_a_used_connection_is_told(
    limited: Callable[[PoolLimits], Engine], up: Upstream
) -> None:
    """What was sent may have been acted on: it is not sent again, and the next goes through."""
    transport = limited(PoolLimits())
    await _crowd(transport, up, 1)
    up.script("reset_before_head")
    with pytest.raises(ProviderConnectionError, match="connection was") as caught:
        await transport.send(question(up), timeout=5)
    assert not caught.value.prefers_next
    assert (len(up.requests), up.connections.accepted) == (2, 1)
    await _crowd(transport, up, 1)
    assert up.connections.accepted == 2


async def test_closing_ends_what_is_in_flight(
    limited: Callable[[PoolLimits], Engine], up: Upstream
) -> None:
    """Whoever still waits is told, and the upstream let go."""
    transport = limited(PoolLimits())
    up.script("stalled_headers")
    task = asyncio.create_task(transport.send(question(up), timeout=60))
    await up.until(lambda up: up.requests)
    await transport.aclose()
    with pytest.raises(ProviderConnectionError):
        await task
    await up.until(lambda up: up.connections.open == 0)


@asynccontextmanager
async def _listener() -> AsyncIterator[tuple[str, int]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()


@pytest.mark.parametrize("dead", [0, 1])
async def test_a_dead_address_does_not_hold_up_a_live_one(dead: int) -> None:
    """Of several addresses the first that answers is taken, wherever it stands."""

    def new() -> Connection:
        return Connection(Origin("name", 80, secure=False), ended.append)

    ended: list[Connection] = []
    async with black_hole() as url, _listener() as live:
        hole = ("127.0.0.1", urlsplit(url).port or 0)
        async with asyncio.timeout(5):
            connection = await first_to_answer([live, hole] if dead else [hole, live], new)
            assert connection.is_open
            connection.abort()
            while len(asyncio.all_tasks()) > 1 or connection not in ended:  # noqa: ASYNC110 - they tell nobody
                await asyncio.sleep(0)
