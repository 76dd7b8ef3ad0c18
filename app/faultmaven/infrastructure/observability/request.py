"""The request that is being served, known to whatever runs on its behalf."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestInFlight:
    """What is kept about one request while it is served.

    Attributes:
        request_id: name in logs, headers and bodies.
        attempts: attempts at providers that ended so far.
        provider_ms: milliseconds spent on them, waits before them included.
    """

    request_id: str
    attempts: int = 0
    provider_ms: float = 0.0


_current: ContextVar[RequestInFlight | None] = ContextVar("faultmaven_request", default=None)


def begin_request(request_id: str) -> RequestInFlight:
    """Make a request the current one of this task and of every task it starts."""
    request = RequestInFlight(request_id)
    _current.set(request)
    return request


def current_request() -> RequestInFlight | None:
    """The request this task works for, or ``None``."""
    return _current.get()
