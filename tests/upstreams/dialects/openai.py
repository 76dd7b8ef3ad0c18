"""OpenAI itself: strict about unknown fields, strict about what its reasoning models take."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from upstreams.dialects import fields, schemas
from upstreams.dialects.answer import Answer, Tokens
from upstreams.dialects.base import Account, Dialect, check_bearer
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.chat_rules import FIELDS
from upstreams.dialects.chat_tools import check_call_ids
from upstreams.dialects.embeddings import OpenAIEmbeddings
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.messages import Reply, Request, json_reply

_REASONS = re.compile(r"(gpt-[5-9]|o\d)")
_NO_TOOLS = re.compile(r"gpt-5\.6")
_NO_STOP = re.compile(r"(o3|o4-mini)")

_INVALID = "invalid_request_error"
_LONGEST_ID = 40
_MESSAGE_FIELDS = frozenset(
    [
        "annotations",
        "audio",
        "content",
        "function_call",
        "name",
        "refusal",
        "role",
        "tool_call_id",
        "tool_calls",
    ]
)


def _worded(status: int, message: str, kind: str | None, code: str | int | None) -> Wording:
    return Wording(status, message, kind, code)


WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.INVALID: _worded(400, "The request is invalid.", _INVALID, None),
    Problem.UNSUPPORTED_PARAMETER: _worded(
        400, "Unsupported parameter.", _INVALID, "unsupported_parameter"
    ),
    Problem.UNSUPPORTED_VALUE: _worded(400, "Unsupported value.", _INVALID, "unsupported_value"),
    Problem.CONTEXT: Wording(
        400,
        "This model's maximum context length is 8192 tokens. Please reduce the messages.",
        _INVALID,
        "context_length_exceeded",
        "messages",
    ),
    Problem.KEY_MISSING: _worded(401, "You didn't provide an API key.", _INVALID, None),
    Problem.KEY_WRONG: _worded(
        401, "Incorrect API key provided: sk-no*******rong.", _INVALID, "invalid_api_key"
    ),
    Problem.CREDIT: _worded(402, "Payment is required.", "insufficient_quota", None),
    Problem.FORBIDDEN: _worded(
        403, "Country, region, or territory not supported.", "request_forbidden", None
    ),
    Problem.ROUTE: _worded(404, "Invalid URL", _INVALID, None),
    Problem.MODEL_UNKNOWN: Wording(
        404,
        "The model `x` does not exist or you do not have access to it.",
        _INVALID,
        "model_not_found",
        "model",
    ),
    Problem.MODEL_RETIRED: _worded(
        404, "The model `gpt-4` has been shut down.", _INVALID, "model_not_found"
    ),
    Problem.METHOD: _worded(405, "Not allowed on this path.", _INVALID, "method_not_supported"),
    Problem.TIMEOUT: _worded(408, "Request timed out.", "timeout", None),
    Problem.UNPROCESSABLE: _worded(422, "Could not process the request.", _INVALID, None),
    Problem.RATE_LIMIT: _worded(
        429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded"
    ),
    Problem.QUOTA: _worded(
        429, "You exceeded your current quota.", "insufficient_quota", "credit_balance_exhausted"
    ),
    Problem.SERVER: _worded(500, "The server had an error.", "server_error", None),
    Problem.BAD_GATEWAY: _worded(502, "Bad gateway.", "server_error", None),
    Problem.UNAVAILABLE: _worded(503, "The engine is overloaded.", "server_error", None),
}


class OpenAIChat(ChatCompletions):
    """OpenAI's own chat completions."""

    known_fields = FIELDS
    stop_limit = 4
    wordings = WORDINGS
    answer_headers = (
        ("x-request-id", "req_1"),
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("openai-version", "2020-10-01"),
    )

    def check_key(self, request: Request, account: Account) -> None:
        """Refuse a wrong key with part of it in the message, as OpenAI does."""
        try:
            check_bearer(request, account)
        except Refused as refusal:
            if refusal.problem is Problem.KEY_WRONG:
                shown = f"Incorrect API key provided: {masked(request.bearer or '')}."
                raise Refused(Problem.KEY_WRONG, shown) from None
            raise

    def refuse_model(self, model: str) -> None:
        """Name the model and the doubt about access."""
        text = f"The model `{model}` does not exist or you do not have access to it."
        raise Refused(Problem.MODEL_UNKNOWN, text, "model")

    def check_vendor_rules(self, body: Mapping[str, Any]) -> None:
        """Check the limits on both token fields, reasoning models and strict schemas."""
        if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
            text = "Setting 'max_tokens' and 'max_completion_tokens' at once is not supported."
            raise Refused(Problem.INVALID, text, "max_tokens")
        if _REASONS.match(body["model"]):
            _check_reasoning_model(body)
        check_strict_schema(body)
        check_call_ids(body["messages"], longest=_LONGEST_ID)
        for message in body["messages"]:
            fields.only(message, _MESSAGE_FIELDS, message="Unknown parameter: 'messages[].{}'.")

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Add the fields only OpenAI has."""
        body = super().payload(request, answer)
        for choice in body["choices"]:
            choice["message"].setdefault("refusal", None)
            choice["message"].setdefault("annotations", [])
        return body

    def envelope(self, request: Request, kind: str) -> dict[str, Any]:
        """Tell the tier."""
        return super().envelope(request, kind) | {"service_tier": "default"}

    def chunk(
        self, request: Request, choice: dict[str, Any], usage: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Add the random padding that hides how long a piece is."""
        return super().chunk(request, choice, usage) | {"obfuscation": "x7Qp"}

    def usage(self, tokens: Tokens) -> dict[str, Any]:
        """Add the details."""
        return super().usage(tokens) | {
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": tokens.thinking},
        }


class OpenAIOwnEmbeddings(OpenAIEmbeddings):
    """OpenAI's own embeddings: strict about unknown fields."""

    chat = OpenAIChat()
    wordings = WORDINGS
    known_fields = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
    models = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")


class OpenAIModels(ModelList):
    """`GET …/models`, for a valid key."""

    path = r"/v1/models"
    chat: ClassVar[ChatCompletions] = OpenAIChat()


class OpenAIModel(OpenAIModels):
    """`GET …/models/{id}`."""

    path = r"/v1/models/(?P<model>.+)"

    def describe(self, request: Request, account: Account) -> Reply:
        """Describe the model, or say that there is none."""
        model = self.parameters(request)["model"]
        if account.knows_model(model):
            return json_reply(200, self.entry(model))
        return self.fail(Problem.MODEL_UNKNOWN, f"The model '{model}' does not exist", "model")


def masked(key: str) -> str:
    """Show a key as OpenAI's error message does: both ends and stars between."""
    return key if len(key) < 8 else f"{key[:5]}{'*' * (len(key) - 9)}{key[-4:]}"


def check_strict_schema(body: Mapping[str, Any]) -> None:
    """Check a strict schema: closed objects, every property required.

    Source: OpenAI's guide to structured outputs.
    """
    described = (body.get("response_format") or {}).get("json_schema") or {}
    if not described.get("strict"):
        return
    start = f"Invalid schema for response_format '{described.get('name')}': "
    schema = described["schema"]
    schemas.closed(schema, message=start + "'additionalProperties' must be false.")
    schemas.complete(schema, message=start + "'required' must include every property.")


def _check_reasoning_model(body: Mapping[str, Any]) -> None:
    if body.get("max_tokens") is not None:
        text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        raise Refused(Problem.UNSUPPORTED_PARAMETER, text, "max_tokens")
    if body.get("stop") is not None and _NO_STOP.match(body["model"]):
        raise Refused(Problem.UNSUPPORTED_PARAMETER, "Unsupported parameter: 'stop'.", "stop")
    if body.get("reasoning_effort") == "none":
        return
    if body.get("tools") and body.get("reasoning_effort") and _NO_TOOLS.match(body["model"]):
        text = "Function tools with reasoning_effort are not supported for this model here."
        raise Refused(Problem.INVALID, text, "reasoning_effort")
    for name in ("temperature", "top_p"):
        if body.get(name) not in {None, 1}:
            text = f"Unsupported value: '{name}' does not support {body[name]} with this model."
            raise Refused(Problem.UNSUPPORTED_VALUE, text, name)


OPENAI = Dialect(
    name="openai",
    prefix="/v1",
    key="sk-test-openai-0123456789abcdef",
    models=(
        "gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo", "gpt-4", "o3", "o4-mini", "gpt-5.5",
        "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-6-sol", "gpt-6-luna",
    ),
    endpoints=(OpenAIChat(), OpenAIOwnEmbeddings(), OpenAIModels(), OpenAIModel()),
)  # fmt: skip
