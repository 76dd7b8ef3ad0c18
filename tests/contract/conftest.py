"""The real transport."""

from collections.abc import AsyncIterator

import pytest

from faultmaven.infrastructure.llm.transport import HttpxTransport


@pytest.fixture
async def transport() -> AsyncIterator[HttpxTransport]:
    """Give a transport of one's own."""
    transport = HttpxTransport()
    yield transport
    await transport.aclose()
