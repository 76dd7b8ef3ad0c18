"""Errors with a status: in each vendor's own body and headers."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from upstreams.dialects.problems import Problem
from upstreams.exchange import Behaviour, Exchange
from upstreams.faults.fault import fault
from upstreams.faults.vendors import CLOUD, HOSTED, LOADING, NAMES_CONTEXT
from upstreams.messages import Reply, json_reply


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


def echo(exchange: Exchange) -> Reply:
    """Fail with a message that repeats key and prompt, as careless proxies do."""
    request = exchange.request
    sent = f"{dict(request.headers)} {request.body.decode(errors='replace')}"
    return exchange.endpoint.fail(Problem.SERVER, f"Could not forward {sent}")


def long_winded(exchange: Exchange) -> Reply:
    """Fail with a message of 1 MB."""
    return exchange.endpoint.fail(Problem.SERVER, "out of memory; " * 70_000)


def sending(reply: Callable[[Exchange], Reply]) -> Behaviour:
    """Make a behaviour of a function that writes the whole reply."""

    async def play(exchange: Exchange) -> None:
        await exchange.send(reply(exchange))

    return play


def without_body(code: int) -> Behaviour:
    """Fail with a status and nothing else."""
    return sending(lambda _: Reply(code, headers=()))


STATUSES = (
    fault("status_400", "invalid request", "invalid_request", status(400)),
    fault("status_401", "the key is refused", "auth", status(401)),
    fault("status_402", "no credit left", "quota", status(402)),
    fault("status_403", "forbidden", "auth", status(403)),
    fault("status_404", "no such model", "model_not_found", status(404)),
    fault("status_408", "the vendor's own timeout", "overloaded timeout", status(408)),
    fault("status_409", "conflict", "overloaded", status(409)),
    fault(
        "status_412",
        "account suspended",
        "quota",
        status(412),
        at=frozenset({"fireworks"}),
    ),
    fault("status_413", "request too large", "invalid_request context_length", status(413)),
    fault("status_422", "not processable", "invalid_request", status(422)),
    fault(
        "status_424",
        "the generation failed",
        "overloaded malformed",
        status(424),
        at=HOSTED | {"tgi"},
    ),
    fault("status_429", "rate limit, no hint when to return", "rate_limited", status(429)),
    fault("status_498", "the key has expired", "auth", status(498), at=frozenset({"cohere"})),
    fault("status_500", "internal error", "overloaded", status(500)),
    fault("status_502", "bad gateway, in JSON", "overloaded", status(502)),
    fault("status_503", "unavailable", "overloaded", status(503)),
    fault("status_503_bare", "unavailable, no body", "overloaded", without_body(503)),
    fault("status_504", "gateway timeout", "overloaded", status(504)),
    fault("status_524", "the edge gave up waiting", "overloaded", status(524)),
    fault("status_529", "overloaded", "overloaded", status(529)),
)
"""One fault for each status."""

REASONS = (
    fault("bad_key", "the vendor's own way to refuse a key", "auth", problem(Problem.KEY_WRONG)),
    fault(
        "model_unknown",
        "the vendor's own words for a model it does not have",
        "model_not_found",
        problem(Problem.MODEL_UNKNOWN),
    ),
    fault(
        "model_retired",
        "the vendor's own words for a model that is gone",
        "model_not_found",
        problem(Problem.MODEL_RETIRED),
    ),
    fault(
        "context_length",
        "prompt too long, in the vendor's code",
        "context_length",
        problem(Problem.CONTEXT),
        at=NAMES_CONTEXT,
    ),
    fault(
        "context_length_in_words",
        "prompt too long, said in the message alone",
        "context_length invalid_request",
        problem(Problem.CONTEXT),
        at=(CLOUD | LOADING) - NAMES_CONTEXT,
    ),
    fault("no_credit", "402 in the vendor's words", "quota", problem(Problem.CREDIT), at=CLOUD),
    fault(
        "insufficient_quota",
        "429 that means no money",
        "quota",
        problem(Problem.QUOTA),
        at=CLOUD - {"gemini", "cohere"},
    ),
    fault(
        "daily_quota",
        "429 that does not clear in minutes",
        "quota rate_limited",
        problem(Problem.QUOTA),
        at=frozenset({"gemini", "cohere"}),
    ),
    fault(
        "loading", "503 while the model loads", "overloaded", problem(Problem.LOADING), at=LOADING
    ),
    fault("echo", "500 that repeats key and prompt", "overloaded", sending(echo)),
    fault("long_error", "500 with 1 MB of message", "overloaded", sending(long_winded)),
)
"""Faults that are a vendor's own wording of one reason."""

WAITS = (
    fault(
        "rate_limit_seconds",
        "429, Retry-After: 2",
        "rate_limited",
        rate_limit(("retry-after", "2")),
    ),
    fault(
        "rate_limit_fraction",
        "429, Retry-After: 0.25",
        "rate_limited",
        rate_limit(("retry-after", "0.25")),
    ),
    fault(
        "rate_limit_hour",
        "429, Retry-After: 3600",
        "rate_limited",
        rate_limit(("retry-after", "3600")),
    ),
    fault(
        "rate_limit_date",
        "429, Retry-After as a date 5 s ahead",
        "rate_limited",
        rate_limit_until(5),
    ),
    fault(
        "rate_limit_ms",
        "429, retry-after-ms: 150 beside retry-after: 30",
        "rate_limited",
        rate_limit(("retry-after-ms", "150"), ("retry-after", "30")),
    ),
    fault(
        "rate_limit_nonsense",
        "429, Retry-After: soon",
        "rate_limited",
        rate_limit(("retry-after", "soon")),
    ),
    fault(
        "rate_limit_retry_info",
        "429 with the wait of 34 s in the body",
        "rate_limited",
        retry_info(34),
        at=frozenset({"gemini"}),
    ),
    fault(
        "capacity_exhausted",
        "503 with the wait of 12 s in the body",
        "overloaded",
        availability(12),
        at=frozenset({"openrouter"}),
    ),
)
"""Rate limits that say when to come back, each in another way."""
