"""The real transport, and somebody to talk to."""

from collections.abc import AsyncIterator

import pytest

from faultmaven.infrastructure.llm.transport import HttpxTransport
from llm.questions import KEY
from upstreams import Upstream


@pytest.fixture
async def transport() -> AsyncIterator[HttpxTransport]:
    """Give a transport of one's own."""
    transport = HttpxTransport()
    yield transport
    await transport.aclose()


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    """Give an upstream that behaves until told otherwise."""
    async with Upstream("openai", keys={KEY}) as up:
        yield up
