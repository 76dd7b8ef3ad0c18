"""Whoever leaves, at whatever moment, gives the connection back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.transport import EngineName, PoolLimits, Transport, new_transport
from faultmaven.infrastructure.llm.transport.tls import tls_context
from faultmaven.infrastructure.llm.wire.types import WireRequest
from llm.certificates import vouched
from llm.questions import ENGINES, question
from upstreams import Upstream

_ROOM = 2  # connections: with one of them lost the last questions wait for ever
_STEPS = 120  # of the event loop; an exchange on loopback takes some forty


async def _whole(transport: Transport, request: WireRequest) -> None:
    await transport.send(request, timeout=20)


async def _streamed(transport: Transport, request: WireRequest) -> None:
    async with transport.stream(request) as answer:
        async for _ in answer.chunks:
            pass


async def _half(transport: Transport, request: WireRequest) -> None:
    async with transport.stream(request) as answer:
        await anext(answer.chunks, None)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ask", [_whole, _streamed, _half])
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("fault", [None, "cut_body", "reset_in_body", "slow_drip"])
async def test_no_moment_to_leave_costs_a_connection(
    ask: Callable[[Transport, WireRequest], Awaitable[None]],
    fault: str | None,
    engine: EngineName,
    *,
    again: bool,
) -> None:
    """Leaving after each step of the loop, even while the last leaving is tidied up."""
    transport = new_transport(engine, PoolLimits(connections=_ROOM, idle=1))
    async with Upstream("openai") as up:
        if fault is not None:
            up.always(fault)
        await _leave_at_each_step(transport, up, ask, again=again)
        up.recover()
        await _have_room(transport, up)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("ask", [_whole, _half])
def test_no_moment_of_a_handshake_costs_one_either(
    ask: Callable[[Transport, WireRequest], Awaitable[None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the event loop that serves, with TLS, each time on a connection that is still made."""
    uvloop = pytest.importorskip("uvloop")
    server, authority = vouched(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    tls_context.cache_clear()

    async def leave() -> None:
        transport = new_transport("httptools", PoolLimits(connections=_ROOM, idle=0))
        async with Upstream("openai", tls=server) as up:
            await _leave_at_each_step(transport, up, ask, again=False)
            await _have_room(transport, up)
        assert len(asyncio.all_tasks()) == 1

    uvloop.run(leave())
    tls_context.cache_clear()


async def _leave_at_each_step(
    transport: Transport,
    up: Upstream,
    ask: Callable[[Transport, WireRequest], Awaitable[None]],
    *,
    again: bool,
) -> None:
    for steps in range(_STEPS):
        asking = asyncio.ensure_future(ask(transport, question(up)))
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        if again:
            await asyncio.sleep(0)
            asking.cancel()
        with suppress(asyncio.CancelledError, ProviderError):
            await asking


async def _have_room(transport: Transport, up: Upstream) -> None:
    """As many as ever are served at once, and nothing is open when all is closed."""
    async with asyncio.timeout(5):
        await asyncio.gather(*(_whole(transport, question(up)) for _ in range(2 * _ROOM)))
        await transport.aclose()
        await up.until(lambda up: up.connections.open == 0)
