"""The real transport, and somebody to talk to."""

from collections.abc import AsyncIterator

import pytest

from faultmaven.infrastructure.llm.transport import Engine, EngineName, new_transport
from llm.questions import KEY
from upstreams import Upstream


@pytest.fixture
def engine() -> EngineName:
    """Name the engine that the transport runs on; tests of the engines name each in turn."""
    return "auto"


@pytest.fixture
async def transport(engine: EngineName) -> AsyncIterator[Engine]:
    """Give a transport of one's own."""
    transport = new_transport(engine)
    yield transport
    await transport.aclose()


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    """Give an upstream that behaves until told otherwise."""
    async with Upstream("openai", keys={KEY}) as up:
        yield up
