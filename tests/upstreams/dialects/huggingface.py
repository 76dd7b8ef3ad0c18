"""Hugging Face's router: OpenAI's shape, errors sometimes as a bare string."""

from collections.abc import Mapping
from typing import Any

from upstreams.dialects.base import Account, Dialect
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.messages import Request

_INVALID = "invalid_request_error"

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.INVALID: Wording(400, "The request is invalid.", _INVALID),
    Problem.CONTEXT: Wording(
        400, "The prompt exceeds the context length.", _INVALID, "context_length_exceeded"
    ),
    Problem.KEY_MISSING: Wording(401, "Invalid username or password."),
    Problem.KEY_WRONG: Wording(401, "Invalid username or password."),
    Problem.CREDIT: Wording(402, "You have exceeded your monthly included credits."),
    Problem.FORBIDDEN: Wording(403, "This token lacks the permission to call providers."),
    Problem.MODEL_UNKNOWN: Wording(
        400, "The requested model 'x' does not exist", _INVALID, "model_not_found", "model"
    ),
    Problem.MODEL_RETIRED: Wording(
        400,
        "The requested model 'x' is not supported by any provider you have enabled.",
        _INVALID,
        "model_not_supported",
        "model",
    ),
    Problem.RATE_LIMIT: Wording(429, "Too many requests", "rate_limit", "rate_limit_exceeded"),
    Problem.QUOTA: Wording(429, "Quota exceeded", "insufficient_quota", "insufficient_quota"),
}


class RouterChat(ChatCompletions):
    """`POST /v1/chat/completions` on the router."""

    wordings = WORDINGS
    reasoning_field = "reasoning_content"

    def check(self, request: Request, account: Account) -> None:
        """Let a suffix such as `:fastest` choose who serves the model."""
        super().check(request, _with_suffixes(account, self.model(request)))

    def refuse_model(self, model: str) -> None:
        """Refuse an unknown model with a 400, as the router does."""
        text = f"The requested model '{model}' does not exist"
        raise Refused(Problem.MODEL_UNKNOWN, text, "model")

    def error_body(self, wording: Wording) -> Any:
        """Write an object where the wording has a type, else a bare string."""
        return super().error_body(wording) if wording.kind else {"error": wording.message}


class RouterModels(ModelList):
    """`GET /v1/models`: public."""

    path = r"/v1/models"
    chat = RouterChat()
    public = True

    def entry(self, model: str) -> dict[str, Any]:
        """Write one model with who serves it."""
        served = {"provider": "somebody", "status": "live", "context_length": 131072}
        return {"id": model, "object": "model", "owned_by": "x", "providers": [served]}


def _with_suffixes(account: Account, model: str) -> Account:
    name, _, suffix = model.partition(":")
    if not suffix or account.models is None or name not in account.models:
        return account
    return Account(account.keys, account.models | {model}, account.context_tokens)


HUGGINGFACE = Dialect(
    name="huggingface",
    prefix="/v1",
    key="hf_test0123456789abcdefghijklmnop",
    models=(
        "tiiuae/falcon-7b-instruct",
        "microsoft/DialoGPT-large",
        "meta-llama/Llama-2-7b-chat-hf",
        "openai/gpt-oss-120b",
        "deepseek-ai/DeepSeek-V4-Pro",
    ),
    endpoints=(RouterChat(), RouterModels()),
)
