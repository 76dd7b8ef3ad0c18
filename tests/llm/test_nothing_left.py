"""Of connections that are over nothing is left that only the garbage collector would find."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.transport import Engine, EngineName, Transport, new_transport
from faultmaven.infrastructure.llm.transport.answer import Answer
from faultmaven.infrastructure.llm.transport.connection import Connection
from faultmaven.infrastructure.llm.transport.tls import tls_context
from faultmaven.infrastructure.llm.wire.types import WireRequest
from llm.certificates import vouched
from llm.questions import KEY, question
from upstreams import Upstream, black_hole, refused_url


@pytest.fixture
def engine() -> EngineName:
    """Name the engine that is ours."""
    return "httptools"


Check = Callable[[], Awaitable[None]]


def _held() -> set[int]:
    return {id(item) for item in gc.get_objects() if isinstance(item, Answer | Connection)}


@pytest.fixture
def nothing_is_left(without_collector: None) -> Check:
    """Wait until nothing is left but what was there before the test."""
    del without_collector
    before = _held()

    async def check() -> None:
        async with asyncio.timeout(10):
            while _held() - before:  # noqa: ASYNC110 - objects tell nobody when they go
                await asyncio.sleep(0.01)

    return check


async def _over(asking: asyncio.Task[object]) -> None:
    """However it ends; who keeps a failure lets go of where it came from, as `Trial` does."""
    await asyncio.wait([asking])
    failure = None if asking.cancelled() else asking.exception()
    if failure is not None:
        failure.with_traceback(None)


async def _refused(nothing_is_left: Check) -> None:
    with pytest.raises(ProviderConnectionError):
        await new_transport("httptools").send(WireRequest("GET", refused_url(), {}), timeout=5)
    await nothing_is_left()


async def _left(nothing_is_left: Check) -> None:
    async with black_hole() as url:
        request, transport = WireRequest("GET", url, {}), new_transport("httptools")
        asking = asyncio.create_task(transport.send(request, timeout=60))
        await asyncio.sleep(0.05)
        asking.cancel()
        await _over(asking)
        del asking
        await nothing_is_left()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("ends", [_refused, _left], ids=["refused", "left"])
def test_of_a_connection_that_never_came_about(
    run: Callable[[Coroutine[None, None, None]], None],
    ends: Callable[[Check], Coroutine[None, None, None]],
    nothing_is_left: Check,
) -> None:
    """However it ended; event loops differ in what they have made by then."""
    run(ends(nothing_is_left))


@pytest.mark.parametrize("fault", ["reset_before_head", "reset_in_body", "stalled_headers"])
async def test_of_a_lost_connection(
    transport: Transport, up: Upstream, fault: str, nothing_is_left: Check
) -> None:
    """Whichever side ended it."""
    up.always(fault)
    asking = asyncio.create_task(transport.send(question(up), timeout=60))
    if fault == "stalled_headers":
        await up.until(lambda up: up.requests)
        asking.cancel()
    await _over(asking)
    del asking
    await nothing_is_left()


@pytest.fixture
async def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    """Give an upstream behind TLS that is trusted."""
    context, roots = vouched(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    tls_context.cache_clear()
    async with Upstream("openai", keys={KEY}, tls=context) as up:
        yield up
    tls_context.cache_clear()


async def test_of_a_secure_connection(
    transport: Engine, secure: Upstream, nothing_is_left: Check
) -> None:
    """Speaking TLS begins a second time on the same connection."""
    await transport.send(question(secure), timeout=5)
    await transport.aclose()
    await nothing_is_left()
