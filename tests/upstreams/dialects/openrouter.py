"""OpenRouter: OpenAI's shape in front of other vendors, errors with numbers for codes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from upstreams.dialects.answer import Answer, Tokens
from upstreams.dialects.base import Account, Dialect, Free, check_bearer
from upstreams.dialects.chat_completions import CHUNK, CREATED, ChatCompletions, ModelList
from upstreams.dialects.chat_stream import UsageAt
from upstreams.dialects.embeddings import OpenAIEmbeddings
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, Stage
from upstreams.messages import Reply, Request, json_reply


def _typed(status: int, message: str, kind: str | None = None) -> Wording:
    extra = {"metadata": {"error_type": kind}} if kind else {}
    return Wording(status, message, extra=extra)


WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.INVALID: _typed(400, "Input is invalid", "invalid_request"),
    Problem.CONTEXT: _typed(
        400, "This endpoint's maximum context length is 8192 tokens.", "context_length_exceeded"
    ),
    Problem.KEY_MISSING: _typed(401, "No auth credentials found"),
    Problem.KEY_WRONG: _typed(401, "User not found."),
    Problem.CREDIT: _typed(402, "Insufficient credits. Add more and try again."),
    Problem.FORBIDDEN: _typed(403, "Your chosen model requires moderation: input flagged"),
    Problem.MODEL_UNKNOWN: _typed(404, "No endpoints found for x/y."),
    Problem.MODEL_RETIRED: _typed(404, "x/y is deprecated; no endpoints found."),
    Problem.RATE_LIMIT: _typed(429, "Provider returned error", "rate_limit_exceeded"),
    Problem.QUOTA: _typed(429, "Provider returned error: quota used up", "insufficient_quota"),
    Problem.BAD_GATEWAY: _typed(502, "Provider returned error", "provider_unavailable"),
}


PROCESSING = Event(Stage.START, comment="OPENROUTER PROCESSING")
"""What it says while it waits for the vendor behind it."""


class OpenRouterChat(ChatCompletions):
    """`POST /api/v1/chat/completions`."""

    path = r"/api/v1/chat/completions"
    wordings = WORDINGS
    reasoning_field = "reasoning"
    usage_at = UsageAt.ALWAYS
    ping = PROCESSING

    def refuse_model(self, model: str) -> None:
        """Refuse an unknown model with its own 400, as an ID that is not valid."""
        if "/" in model:
            raise Refused(Problem.MODEL_UNKNOWN, f"No endpoints found for {model}.")
        raise Refused(Problem.INVALID, f"{model} is not a valid model ID")

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Tell who answered behind the router, and in which words it stopped."""
        body = super().payload(request, answer)
        for choice in body["choices"]:
            choice["native_finish_reason"] = choice["finish_reason"]
        return body

    def envelope(self, request: Request, kind: str) -> dict[str, Any]:
        """Tell who answers."""
        return super().envelope(request, kind) | {"id": "gen-1", "provider": "Somebody"}

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Say that it works on it before the first chunk."""
        yield PROCESSING
        yield PROCESSING
        yield from super().events(request, answer)

    def chunk(
        self, request: Request, choice: dict[str, Any], usage: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Add the other vendor's word for the finish."""
        native = choice | {"native_finish_reason": choice["finish_reason"]}
        return super().chunk(request, native, usage)

    def error_event(self, wording: Wording) -> Event:
        """Write a chunk with the error beside a choice that ends with it."""
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        base = {"id": "gen-1", "object": CHUNK, "created": CREATED, "provider": "Somebody"}
        error = self.error_object(wording)
        return Event(Stage.FINISH, base | {"error": error, "choices": [choice]})

    def usage(self, tokens: Tokens) -> dict[str, Any]:
        """Add the price."""
        return super().usage(tokens) | {
            "cost": 0.0001,
            "cost_details": {"upstream_inference_cost": None},
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": tokens.thinking},
        }

    def error_object(self, wording: Wording) -> dict[str, Any]:
        """Write the status as code."""
        return {"code": wording.status, "message": wording.message, **wording.extra}

    def moved(self, wording: Wording, status: int) -> Wording:
        """Drop the type, which belongs to another status."""
        return replace(wording, status=status, extra={})


class OpenRouterEmbeddings(OpenAIEmbeddings):
    """`POST /api/v1/embeddings` at OpenRouter."""

    path = r"/api/v1/embeddings"
    chat = OpenRouterChat()
    wordings = WORDINGS
    models = ("openai/text-embedding-3-small",)


class OpenRouterModels(ModelList):
    """`GET /api/v1/models`: public."""

    path = r"/api/v1/models"
    chat = OpenRouterChat()
    public = True

    def page(self, entries: list[dict[str, Any]]) -> Any:
        """List without the word `object`."""
        return {"data": entries}

    def entry(self, model: str) -> dict[str, Any]:
        """Write one model with its price."""
        price = {"prompt": "0.000003", "completion": "0.000015"}
        return {"id": model, "name": model, "context_length": 200_000, "pricing": price}


class OpenRouterKey(Free):
    """`GET /api/v1/key`: what the key may still spend."""

    path = r"/api/v1/key"
    wordings = WORDINGS

    def check(self, request: Request, account: Account) -> None:
        """Check the key."""
        check_bearer(request, account)

    def describe(self, request: Request, account: Account) -> Reply:
        """Describe the key."""
        del request, account
        data = {"label": "sk-or-...", "usage": 1.5, "limit": 10, "limit_remaining": 8.5}
        return json_reply(200, {"data": data | {"is_free_tier": False, "rate_limit": None}})

    def error_body(self, wording: Wording) -> Any:
        """Write errors as the chat does."""
        return OpenRouterChat().error_body(wording)


OPENROUTER = Dialect(
    name="openrouter",
    prefix="/api/v1",
    key="sk-or-v1-test0123456789abcdef",
    models=(
        "anthropic/claude-3-sonnet",
        "openai/gpt-4",
        "meta-llama/llama-3-8b-instruct",
        "anthropic/claude-sonnet-4.6",
        "openai/gpt-5.2",
        "google/gemini-3.1-pro-preview",
    ),
    endpoints=(OpenRouterChat(), OpenRouterEmbeddings(), OpenRouterModels(), OpenRouterKey()),
)
