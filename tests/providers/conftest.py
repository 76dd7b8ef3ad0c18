"""What the providers' tests share."""

from collections.abc import AsyncIterator

import pytest

from faultmaven.infrastructure.llm.transport import HttpxTransport


@pytest.fixture
async def transport() -> AsyncIterator[HttpxTransport]:
    """The real transport, closed at the end."""
    pool = HttpxTransport()
    yield pool
    await pool.aclose()
