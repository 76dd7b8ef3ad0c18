"""What tests of the transport send, and how long they wait for it."""

import json
import time
from collections.abc import Awaitable, Callable

from faultmaven.infrastructure.llm.transport import EngineName
from faultmaven.infrastructure.llm.wire.types import WireRequest
from upstreams import Upstream
from upstreams.samples import SAMPLES

ENGINES: tuple[EngineName, ...] = ("httptools", "httpx")
KEY = "sk-planted-3Zq8WvT5rKx2NmYb7"


def question(up: Upstream) -> WireRequest:
    """Write a request that OpenAI's upstream accepts."""
    sample = SAMPLES["openai"][0].filled(key=up.key, model=up.model)
    headers = {**sample.headers, "content-type": "application/json"}
    body = json.dumps(dict(sample.body)).encode()
    return WireRequest("POST", up.origin + sample.path, headers, body)


async def quickest(action: Callable[[], Awaitable[object]], *, enough: float) -> float:
    """Measure how many seconds an action takes when the machine has time for it.

    Args:
        action: what to do, up to five times.
        enough: no further try is made once one was as quick as this.
    """
    took = float("inf")
    for _ in range(5):
        started = time.monotonic()
        await action()
        took = min(took, time.monotonic() - started)
        if took <= enough:
            break
    return took
