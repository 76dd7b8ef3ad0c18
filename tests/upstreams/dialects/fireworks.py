"""Fireworks: OpenAI's shape, full model paths, two names for one token limit."""

from collections.abc import Mapping
from typing import Any

from upstreams.dialects.answer import Tokens
from upstreams.dialects.base import Dialect
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.chat_stream import UsageAt
from upstreams.dialects.embeddings import OpenAIEmbeddings
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording

_INVALID = "invalid_request_error"
_LIMITS = (
    ("x-ratelimit-limit-tokens-prompt", "60000"),
    ("x-ratelimit-limit-tokens-generated", "6000"),
)

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.INVALID: Wording(400, "The request is invalid.", _INVALID),
    Problem.CONTEXT: Wording(
        400, "The prompt is too long: 9000, model maximum context length: 8191", _INVALID
    ),
    Problem.KEY_MISSING: Wording(401, "Unauthorized: no API key provided", "UNAUTHORIZED"),
    Problem.KEY_WRONG: Wording(
        401, "The API key you provided is invalid.", "UNAUTHORIZED", "UNAUTHORIZED"
    ),
    Problem.CREDIT: Wording(402, "Payment required: monthly spending limit reached.", "error"),
    Problem.FORBIDDEN: Wording(403, "Forbidden", "error"),
    Problem.ROUTE: Wording(404, "Path not found", "error", "NOT_FOUND"),
    Problem.MODEL_UNKNOWN: Wording(
        404, "Model not found, inaccessible, and/or not deployed", "error", "NOT_FOUND"
    ),
    Problem.MODEL_RETIRED: Wording(
        404, "Model not found, inaccessible, and/or not deployed", "error", "NOT_FOUND"
    ),
    Problem.SUSPENDED: Wording(412, "Account is suspended, please check your billing", "error"),
    Problem.RATE_LIMIT: Wording(
        429, "Rate limit exceeded, please try again later", "error", headers=_LIMITS
    ),
    Problem.QUOTA: Wording(429, "You exceeded your quota", "insufficient_quota"),
    Problem.SERVER: Wording(500, "Internal server error", "internal_server_error"),
    Problem.UNAVAILABLE: Wording(503, "Service overloaded, please retry", "error"),
}


class FireworksChat(ChatCompletions):
    """`POST /inference/v1/chat/completions`."""

    path = r"/inference/v1/chat/completions"
    wordings = WORDINGS
    reasoning_field = "reasoning_content"
    answer_headers = _LIMITS
    usage_at = UsageAt.FINISH

    def refuse_model(self, model: str) -> None:
        """Say the sentence the seed's troubleshooting guide quotes."""
        del model
        raise Refused(Problem.MODEL_UNKNOWN)

    def check_vendor_rules(self, body: Mapping[str, Any]) -> None:
        """Refuse both names of the token limit together, and a short model name."""
        if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
            text = "max_tokens and max_completion_tokens cannot both be set"
            raise Refused(Problem.INVALID, text)

    def usage(self, tokens: Tokens) -> dict[str, Any]:
        """Add what was read from the cache."""
        return super().usage(tokens) | {"prompt_tokens_details": {"cached_tokens": 0}}


class FireworksEmbeddings(OpenAIEmbeddings):
    """`POST /inference/v1/embeddings` at Fireworks."""

    path = r"/inference/v1/embeddings"
    chat = FireworksChat()
    wordings = WORDINGS
    models = ("nomic-ai/nomic-embed-text-v1.5",)


class FireworksModels(ModelList):
    """`GET /inference/v1/models`, for a valid key."""

    path = r"/inference/v1/models"
    chat = FireworksChat()


FIREWORKS = Dialect(
    name="fireworks",
    prefix="/inference/v1",
    key="fw_test0123456789abcdef",
    models=tuple(
        f"accounts/fireworks/models/{name}"
        for name in (
            "llama-v3p1-8b-instruct",
            "llama-v3p1-70b-instruct",
            "mixtral-8x7b-instruct",
            "gpt-oss-120b",
            "kimi-k3",
        )
    ),
    endpoints=(FireworksChat(), FireworksEmbeddings(), FireworksModels()),
)
