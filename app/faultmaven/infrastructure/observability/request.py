"""The request that is being served, known to whatever runs on its behalf."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestInFlight:
    """What is kept about one request while it is served.

    Attributes:
        request_id: name in logs, headers and bodies.
        started_at: when it came in, on the monotonic clock, in seconds.
        attempts: attempts at providers that ended so far.
        provider_ms: milliseconds spent on them, waits before them included.
        first_token_ms: milliseconds that the attempt under way took until its answer began, the
            wait before it included.
        problem: stable name of the problem it ended with, or ``None``.
        detail: what happened, where that is the operator's matter, or ``None``.
        answered: whether the head of a response has left, so that its status stands.
        shed: whether it was refused for want of room, which the log tells for many at once.
    """

    request_id: str
    started_at: float = 0.0
    attempts: int = 0
    provider_ms: float = 0.0
    first_token_ms: float = 0.0
    problem: str | None = None
    detail: str | None = None
    answered: bool = False
    shed: bool = False


_current: ContextVar[RequestInFlight | None] = ContextVar("faultmaven_request", default=None)


def begin_request(request_id: str, started_at: float = 0.0) -> RequestInFlight:
    """Make a request the current one of this task and of every task it starts."""
    request = RequestInFlight(request_id, started_at)
    _current.set(request)
    return request


current_request: Callable[[], RequestInFlight | None] = _current.get
"""The request this task works for, or ``None``."""


def require_request() -> RequestInFlight:
    """The request this task works for.

    Raises:
        LookupError: there is none.
    """
    request = _current.get()
    if request is None:
        raise LookupError("nothing is being served here")
    return request
