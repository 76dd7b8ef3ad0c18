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
        problem: stable name of the problem it ended with, or ``None``.
        detail: what happened, where that is the operator's matter, or ``None``.
    """

    request_id: str
    attempts: int = 0
    provider_ms: float = 0.0
    problem: str | None = None
    detail: str | None = None


_current: ContextVar[RequestInFlight | None] = ContextVar("faultmaven_request", default=None)


def begin_request(request_id: str) -> RequestInFlight:
    """Make a request the current one of this task and of every task it starts."""
    request = RequestInFlight(request_id)
    _current.set(request)
    return request


def current_request() -> RequestInFlight | None:
    """The request this task works for, or ``None``."""
    return _current.get()


def current_request_id() -> str:
    """The id of the request this task works for; empty outside of requests."""
    request = _current.get()
    return request.request_id if request else ""
