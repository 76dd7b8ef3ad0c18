"""Together: OpenAI's shape, `eos` for a stop, a bare list of models."""

from collections.abc import Mapping
from typing import Any, ClassVar

from upstreams.dialects.answer import Finish
from upstreams.dialects.base import Dialect
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.chat_stream import UsageAt
from upstreams.dialects.embeddings import OpenAIEmbeddings
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording

_INVALID = "invalid_request_error"

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.INVALID: Wording(400, "The request is invalid.", _INVALID),
    Problem.CONTEXT: Wording(
        400, "Input validation error: `inputs` tokens must be <= 4096.", _INVALID, None, "messages"
    ),
    Problem.KEY_MISSING: Wording(401, "Missing API key", _INVALID, "missing_api_key"),
    Problem.KEY_WRONG: Wording(401, "Invalid API key provided.", _INVALID, "invalid_api_key"),
    Problem.CREDIT: Wording(402, "Your account has no credit left.", "credit_limit"),
    Problem.MODEL_UNKNOWN: Wording(
        404, "Unable to access model x.", _INVALID, "model_not_available"
    ),
    Problem.MODEL_RETIRED: Wording(
        404, "Unable to access non-serverless model x.", _INVALID, "model_not_available"
    ),
    Problem.RATE_LIMIT: Wording(429, "Rate limit reached.", "rate_limit", "rate_limit_exceeded"),
    Problem.QUOTA: Wording(429, "Quota used up.", "insufficient_quota", "insufficient_quota"),
    Problem.SERVER: Wording(500, "Internal server error.", "server_error"),
    Problem.UNAVAILABLE: Wording(503, "The server is overloaded.", "service_unavailable"),
}


class TogetherChat(ChatCompletions):
    """`POST /v1/chat/completions` at Together."""

    wordings = WORDINGS
    reasoning_field = "reasoning"
    usage_at = UsageAt.FINISH
    finish_words: ClassVar[Mapping[Finish, str]] = {Finish.STOP: "eos"}

    def refuse_model(self, model: str) -> None:
        """Name the model."""
        text = f"Unable to access model {model}. Please visit the list of models."
        raise Refused(Problem.MODEL_UNKNOWN, text)


class TogetherEmbeddings(OpenAIEmbeddings):
    """`POST /v1/embeddings` at Together."""

    chat = TogetherChat()
    wordings = WORDINGS
    models = ("BAAI/bge-base-en-v1.5",)


class TogetherModels(ModelList):
    """`GET /v1/models`, for a valid key."""

    path = r"/v1/models"
    chat = TogetherChat()

    def page(self, entries: list[dict[str, Any]]) -> Any:
        """List without an envelope."""
        return entries


TOGETHER = Dialect(
    name="together",
    prefix="/v1",
    key="tgp_v1_test0123456789abcdef",
    models=("meta-llama/Llama-2-70b-chat-hf", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    endpoints=(TogetherChat(), TogetherEmbeddings(), TogetherModels()),
)
