"""A real model server for any test: the real engine with the smallest model there is.

The weights (98 MB) are fetched once, by the code under test, into ``FAULTMAVEN_TEST_CACHE``
or ``~/.cache/faultmaven-test``, and kept for later runs. The answers make no sense; the
protocol is the real one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from faultmaven.infrastructure.local_model.catalogue import TINY
from faultmaven.infrastructure.local_model.config import LocalModelConfig
from faultmaven.infrastructure.local_model.supervisor import LocalModelServer
from faultmaven.infrastructure.local_model.weights import default_sources, fetch_weights
from faultmaven.models.status import OnLocalModelStatus


def cache_dir() -> Path:
    """The folder in which test weights are kept from one run to the next."""
    chosen = os.environ.get("FAULTMAVEN_TEST_CACHE")  # noqa: TID251 - no setting of the service
    return Path(chosen) if chosen else Path.home() / ".cache" / "faultmaven-test"


def tiny_model_path() -> Path:
    """The weights of the smallest model, fetched if they are not here; blocks meanwhile.

    May be called with or without a running event loop.
    """
    fetch = fetch_weights(
        TINY,
        cache_dir(),
        on_progress=lambda _done, _total: None,
        sources=default_sources(None),
    )
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, fetch).result()


@asynccontextmanager
async def tiny_model_server(
    on_status: OnLocalModelStatus = lambda _status: None,
) -> AsyncIterator[LocalModelServer]:
    """A running server of the smallest model: see ``base_url``, ``model`` and ``api_key``.

    One slot of 2048 tokens on one thread; it speaks ``/v1/chat/completions`` and requires
    the key as a bearer token.
    """
    config = LocalModelConfig(cache_dir=cache_dir(), choice="tiny", context=2048, threads=1)
    server = LocalModelServer(config, on_status=on_status)
    await server.start()
    try:
        await server.wait_ready(300)
        yield server
    finally:
        await server.stop()
