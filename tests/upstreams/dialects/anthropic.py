"""Anthropic's Messages API."""

from collections.abc import Iterator, Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, as_text, count
from upstreams.dialects.anthropic_answer import PING, STOP_REASONS, blocks, told, usage
from upstreams.dialects.anthropic_rules import (
    VERSIONS,
    check_fields,
    check_last_turn,
    check_output,
    check_sampling,
    check_turns,
)
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_json_object,
    check_window,
)
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, Stage
from upstreams.messages import Reply, Request, json_reply

WORDINGS: Mapping[Problem, Wording] = {
    key: Wording(worded.status, worded.message, "invalid_request_error")
    for key, worded in PLAIN.items()
} | {
    Problem.CONTEXT: Wording(
        400, "prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error"
    ),
    Problem.KEY_MISSING: Wording(401, "x-api-key header is required", "authentication_error"),
    Problem.KEY_WRONG: Wording(401, "invalid x-api-key", "authentication_error"),
    Problem.CREDIT: Wording(402, "Your credit balance is too low.", "billing_error"),
    Problem.FORBIDDEN: Wording(403, "Request not allowed", "permission_error"),
    Problem.ROUTE: Wording(404, "Not Found", "not_found_error"),
    Problem.MODEL_UNKNOWN: Wording(404, "model: x", "not_found_error"),
    Problem.MODEL_RETIRED: Wording(404, "model: claude-3-opus-20240229", "not_found_error"),
    Problem.TIMEOUT: Wording(408, "Request timed out", "timeout_error"),
    Problem.CONFLICT: Wording(409, "Conflict", "conflict_error"),
    Problem.TOO_LARGE: Wording(413, "Request exceeds the maximum size", "request_too_large"),
    Problem.RATE_LIMIT: Wording(
        429, "This request would exceed your rate limit.", "rate_limit_error"
    ),
    Problem.QUOTA: Wording(
        429,
        "You have reached your spend limit.",
        "rate_limit_error",
        extra={"details": {"error_code": "enforced_spend_limit_reached"}},
    ),
    Problem.SERVER: Wording(500, "Internal server error", "api_error"),
    Problem.BAD_GATEWAY: Wording(502, "Bad gateway", "api_error"),
    Problem.UNAVAILABLE: Wording(503, "Service unavailable", "api_error"),
    Problem.GATEWAY_TIMEOUT: Wording(504, "Request timed out", "timeout_error"),
    Problem.EDGE_TIMEOUT: Wording(524, "Request timed out", "timeout_error"),
    Problem.OVERLOADED: Wording(529, "Overloaded", "overloaded_error"),
}


class _Voice(Endpoint):
    """Anthropic's errors and the headers every call needs."""

    wordings = WORDINGS

    def error_body(self, wording: Wording) -> Any:
        """Write the typed error."""
        error = {"type": wording.kind, "message": wording.message, **wording.extra}
        return {"type": "error", "error": error, "request_id": "req_1"}

    def check_headers(self, request: Request, account: Account) -> None:
        """Check the key (`x-api-key` wins over a bearer token), then the version."""
        key = request.headers.get("x-api-key") or request.bearer
        if not key:
            raise Refused(Problem.KEY_MISSING)
        if not account.knows_key(key):
            raise Refused(Problem.KEY_WRONG)
        version = request.headers.get("anthropic-version")
        if version is None:
            raise Refused(Problem.INVALID, "anthropic-version: header is required")
        if version not in VERSIONS:
            raise Refused(Problem.INVALID, f'anthropic-version: "{version}" is not a valid version')


class Messages(_Voice, Completing):
    """`POST …/messages`."""

    path = r"/v1/messages"
    ping = PING
    trouble = Problem.OVERLOADED

    def check(self, request: Request, account: Account) -> None:
        """Check headers, fields, turns, model, sampling and schema."""
        self.check_headers(request, account)
        body = check_json_object(request)
        check_fields(body)
        check_turns(body["messages"])
        model = fields.text(body, "model", message="model: Field required")
        if not account.knows_model(model):
            raise Refused(Problem.MODEL_UNKNOWN, f"model: {model}")
        check_sampling(body, version=request.headers["anthropic-version"])
        check_last_turn(body)
        check_output(body)
        check_window(request, account)

    def model(self, request: Request) -> str:
        """Read the body's `model`."""
        return str(request.fields.get("model", ""))

    def wants_json(self, request: Request) -> bool:
        """Look for `output_config.format`."""
        return bool((request.fields.get("output_config") or {}).get("format"))

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write a `message` object."""
        text = as_text(answer, wants_json=self.wants_json(request))
        body: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self.model(request),
            "content": blocks(request, answer, text),
            "stop_reason": STOP_REASONS[answer.end],
            "stop_sequence": None,
            "stop_details": None,
        }
        if answer.usage:
            body["usage"] = usage(count(request.body, answer, text))
        return body

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell the message block by block."""
        return told(self.payload(request, answer), answer.pieces)

    def error_event(self, wording: Wording) -> Event:
        """Write the event called `error`."""
        return Event(Stage.FINISH, self.error_body(wording), name="error")


class Models(_Voice, Free):
    """`GET …/models`, for a valid key."""

    path = r"/v1/models"

    def check(self, request: Request, account: Account) -> None:
        """Check key and version."""
        self.check_headers(request, account)

    def describe(self, request: Request, account: Account) -> Reply:
        """List the models."""
        del request
        data = [_entry(model) for model in account.listed]
        first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
        page = {"data": data, "has_more": False, "first_id": first, "last_id": last}
        return json_reply(200, page)


def _entry(model: str) -> dict[str, Any]:
    return {
        "id": model,
        "type": "model",
        "display_name": model.replace("-", " ").title(),
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "retires_at": None,
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


ANTHROPIC = Dialect(
    name="anthropic",
    prefix="/v1",
    key="sk-ant-test-0123456789abcdef",
    models=(
        "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20240620", "claude-3-haiku-20240307",
        "claude-3-opus-20240229", "claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-4-8",
        "claude-sonnet-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5",
    ),
    endpoints=(Messages(), Models()),
)  # fmt: skip
