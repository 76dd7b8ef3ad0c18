"""Anthropic's Messages API."""

import re
from collections.abc import Mapping
from typing import Any

from upstreams.dialects import fields, schemas
from upstreams.dialects.answer import Answer, Finish, Tokens, as_text, count
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_json_object,
    check_window,
)
from upstreams.dialects.chat_completions import check_stream
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.messages import Reply, Request, json_reply

_NEWEST_VERSION = "2026-10-21"
_VERSIONS = frozenset({"2023-01-01", "2023-06-01", _NEWEST_VERSION})
_FIELDS = frozenset(
    [
        "cache_control",
        "container",
        "context_management",
        "inference_geo",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    ]
)
_FIXED_SAMPLING = re.compile(
    r"claude-(opus-4-[78]|(sonnet|opus)-5|haiku-5-5|(sonnet|opus)-5-5|fable-|mythos-)"
)
_PREFILLS = re.compile(r"claude-(3|(sonnet|opus|haiku)-4(-[0-5])?(-\d{8})?$)")
_SAMPLING_DEFAULTS = {"temperature": 1, "top_p": 1, "top_k": None}
_SCHEMA_KEYWORDS = frozenset(
    [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
    ]
)

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

_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.FILTER: "refusal",
    Finish.REFUSAL: "refusal",
    Finish.TOOL: "tool_use",
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
        if version not in _VERSIONS:
            raise Refused(Problem.INVALID, f'anthropic-version: "{version}" is not a valid version')


class Messages(_Voice, Completing):
    """`POST …/messages`."""

    path = r"/v1/messages"

    def check(self, request: Request, account: Account) -> None:
        """Check headers, fields, turns, model, sampling and schema."""
        self.check_headers(request, account)
        body = check_json_object(request)
        _check_fields(body)
        _check_turns(body["messages"])
        model = fields.text(body, "model", message="model: Field required")
        if not account.knows_model(model):
            raise Refused(Problem.MODEL_UNKNOWN, f"model: {model}")
        _check_sampling(body, version=request.headers["anthropic-version"])
        _check_last_turn(body)
        _check_output(body)
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
            "content": _blocks(answer, text),
            "stop_reason": _STOP_REASONS[answer.finish],
            "stop_sequence": None,
            "stop_details": None,
        }
        if answer.usage:
            body["usage"] = _usage(count(request.body, answer, text))
        return body


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


def _blocks(answer: Answer, text: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if answer.thinking:
        blocks.append({"type": "thinking", "thinking": answer.thinking, "signature": "c2ln"})
    if answer.finish is Finish.TOOL:
        blocks.append({"type": "tool_use", "id": "toolu_1", "name": "df", "input": {"path": "/"}})
    if answer.text is None:
        return blocks
    middle = len(text) // 2 if answer.parts else len(text)
    pieces = [piece for piece in (text[:middle], text[middle:]) if piece] or [""]
    return [*blocks, *({"type": "text", "text": piece} for piece in pieces)]


def _usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.prompt,
        "output_tokens": tokens.completion,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens_details": {"thinking_tokens": tokens.thinking},
    }


def _check_fields(body: Mapping[str, Any]) -> None:
    fields.only(body, _FIELDS, message="{}: Extra inputs are not permitted")
    if "max_tokens" not in body:
        raise Refused(Problem.INVALID, "max_tokens: Field required")
    fields.items(body, "messages", message="messages: at least one message is required")
    fields.positive(body, "max_tokens")
    fields.number(body, "temperature", low=0, high=1)
    fields.number(body, "top_p", low=0, high=1)
    fields.stops(body, "stop_sequences", most=8191)
    if not isinstance(body.get("system", ""), str | list):
        raise Refused(Problem.INVALID, "system: Input should be a valid string")
    check_stream(body)


def _check_turns(turns: list[Any]) -> None:
    for place, turn in enumerate(turns):
        role = turn.get("role") if isinstance(turn, dict) else None
        if role not in {"user", "assistant"}:
            text = f'messages.{place}: Unexpected role "{role}"; use the top-level `system`.'
            raise Refused(Problem.INVALID, text)
        _check_content(turn.get("content"), place)
    if turns[0]["role"] != "user":
        raise Refused(Problem.INVALID, 'messages: first message must use the "user" role')


def _check_content(content: Any, place: int) -> None:
    if not isinstance(content, str | list):
        raise Refused(Problem.INVALID, f"messages.{place}.content: Field required")
    texts = [content] if isinstance(content, str) else [_text_of(block) for block in content]
    if not texts or not all(texts):
        text = f"messages.{place}: text content blocks must be non-empty"
        raise Refused(Problem.INVALID, text)


def _text_of(block: Any) -> str:
    """Read a block's text; any other block counts as full."""
    return str(block.get("text", "-")) if isinstance(block, dict) else ""


def _check_sampling(body: Mapping[str, Any], *, version: str) -> None:
    for name, default in _SAMPLING_DEFAULTS.items():
        if name not in body:
            continue
        if version == _NEWEST_VERSION:
            raise Refused(Problem.INVALID, f"{name}: not supported in this API version")
        if _FIXED_SAMPLING.match(body["model"]) and body[name] != default:
            raise Refused(Problem.INVALID, f"{name}: not supported by this model")


def _check_last_turn(body: Mapping[str, Any]) -> None:
    if body["messages"][-1]["role"] == "assistant" and not _PREFILLS.match(body["model"]):
        text = "This model does not support assistant message prefill."
        raise Refused(Problem.INVALID, text)


def _check_output(body: Mapping[str, Any]) -> None:
    """Check a JSON schema; source: Anthropic's page on structured outputs."""
    asked = fields.mapping(fields.mapping(body, "output_config"), "format")
    if not asked:
        return
    if asked.get("type") != "json_schema" or not isinstance(asked.get("schema"), dict):
        raise Refused(Problem.INVALID, "output_config.format: Input should be a JSON schema")
    start = "output_config.format.schema: "
    schemas.closed(asked["schema"], message=start + "'additionalProperties' must be false")
    schemas.without(
        asked["schema"], keywords=_SCHEMA_KEYWORDS, message=start + "'{}' is not supported"
    )


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
