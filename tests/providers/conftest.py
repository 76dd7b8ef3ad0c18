"""What the providers' tests share."""

from collections.abc import AsyncIterator

import pytest

from faultmaven.infrastructure.llm.transport import Transport, new_transport


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """The real transport, closed at the end."""
    pool = new_transport()
    yield pool
    await pool.aclose()
