"""Errors with a status: in each vendor's own body and headers."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from upstreams.dialects.problems import Problem
from upstreams.exchange import Behaviour, Exchange
from upstreams.messages import Reply, json_reply

MONEY_UNDER_429 = frozenset(
    {
        "openai",
        "fireworks",
        "together",
        "huggingface",
        "openrouter",
        "anthropic",
        "gemini",
        "cohere",
    }
)
"""Vendors that may report an empty purse with a 429."""


def status(code: int) -> Behaviour:
    """Fail with a status in the vendor's error format."""
    return sending(lambda exchange: exchange.endpoint.fail_with_status(code))


def problem(reason: Problem) -> Behaviour:
    """Fail for a reason, with the status and body this vendor uses for it."""
    return sending(lambda exchange: exchange.endpoint.fail(reason))


def rate_limit(*headers: tuple[str, str]) -> Behaviour:
    """Fail with a 429 that carries these headers."""
    return sending(lambda exchange: exchange.endpoint.fail_with_status(429).with_headers(*headers))


def rate_limit_until(seconds: float) -> Behaviour:
    """Fail with a 429 whose Retry-After is a date that many seconds from now."""

    async def play(exchange: Exchange) -> None:
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        await rate_limit(("retry-after", moment))(exchange)

    return play


def retry_info(seconds: float) -> Behaviour:
    """Fail with Gemini's 429, which has the wait in its body."""
    kind = "type.googleapis.com/google.rpc.RetryInfo"
    return detailed(429, {"details": [{"@type": kind, "retryDelay": f"{seconds:g}s"}]})


def availability(seconds: int) -> Behaviour:
    """Fail with OpenRouter's 503, which says in its body when to come back."""
    wait = {"code": "capacity_exhausted", "retryable": True, "retry_after": seconds}
    return detailed(503, {"availability": wait})


def detailed(code: int, extra: Mapping[str, Any]) -> Behaviour:
    """Fail with a status and more fields in the error object."""

    def reply(exchange: Exchange) -> Reply:
        usual = exchange.endpoint.fail_with_status(code)
        return json_reply(code, {"error": usual.json["error"] | dict(extra)})

    return sending(reply)


def sending(reply: Callable[[Exchange], Reply]) -> Behaviour:
    """Make a behaviour of a function that writes the whole reply."""

    async def play(exchange: Exchange) -> None:
        await exchange.send(reply(exchange))

    return play
