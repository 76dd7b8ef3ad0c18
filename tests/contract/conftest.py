"""The real transport."""

from collections.abc import AsyncIterator

import pytest

from faultmaven.infrastructure.llm.transport import Transport, new_transport


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """Give a transport of one's own."""
    transport = new_transport()
    yield transport
    await transport.aclose()
