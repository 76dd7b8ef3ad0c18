"""vLLM: numbers for codes, unknown fields ignored, a health check without a body."""

from collections.abc import Mapping
from typing import Any, ClassVar

from upstreams.dialects.answer import Answer
from upstreams.dialects.base import Account, Dialect, Free
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.embeddings import OpenAIEmbeddings
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.messages import Reply, Request, json_reply

SERVER_ERRORS = 500
_KINDS = {
    400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError",
    422: "UnprocessableEntityError", 500: "InternalServerError", 503: "ServiceUnavailableError",
}  # fmt: skip

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.CONTEXT: Wording(
        400, "This model's maximum context length is 8192 tokens. Please reduce the input."
    ),
    Problem.KEY_MISSING: Wording(401, "Unauthorized"),
    Problem.KEY_WRONG: Wording(401, "Unauthorized"),
    Problem.MODEL_UNKNOWN: Wording(404, "The model `x` does not exist."),
    Problem.MODEL_RETIRED: Wording(404, "The model `x` does not exist."),
    Problem.SERVER: Wording(500, "EngineCore encountered an issue."),
}


class VLLMChat(ChatCompletions):
    """`POST /v1/chat/completions` on vLLM."""

    wordings = WORDINGS
    reasoning_field = "reasoning"
    call_prefix = "chatcmpl-tool-"
    pairs_calls = False

    def refuse_model(self, model: str) -> None:
        """Name the model."""
        raise Refused(Problem.MODEL_UNKNOWN, f"The model `{model}` does not exist.")

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Add the fields vLLM always sends, most of them empty."""
        body = super().payload(request, answer)
        for choice in body["choices"]:
            choice["stop_reason"] = None
            choice["message"].setdefault("tool_calls", [])
        return body | {"prompt_logprobs": None, "kv_transfer_params": None}

    def error_body(self, wording: Wording) -> Any:
        """Write a bare string for a missing key, else an object with a number for a code."""
        if wording.status == WORDINGS[Problem.KEY_WRONG].status:
            return {"error": wording.message}
        return super().error_body(wording)

    def error_object(self, wording: Wording) -> dict[str, Any]:
        """Write the status as code."""
        usual = "BadRequestError" if wording.status < SERVER_ERRORS else "InternalServerError"
        kind = _KINDS.get(wording.status, usual)
        return {
            "message": wording.message,
            "type": kind,
            "param": wording.param,
            "code": wording.status,
        }


class OlderVLLMChat(VLLMChat):
    """An older build: the error's fields at top level."""

    def error_body(self, wording: Wording) -> Any:
        """Write a flat error."""
        return {"object": "error", **self.error_object(wording)}


class VLLMEmbeddings(OpenAIEmbeddings):
    """`POST /v1/embeddings` at vLLM."""

    chat = VLLMChat()
    wordings = WORDINGS


class VLLMModels(ModelList):
    """`GET /v1/models`."""

    path = r"/v1/models"
    chat: ClassVar[ChatCompletions] = VLLMChat()

    def entry(self, model: str) -> dict[str, Any]:
        """Write one model with its window."""
        return super().entry(model) | {"owned_by": "vllm", "root": model, "max_model_len": 8192}


class OlderVLLMModels(VLLMModels):
    """The same, with an older build's errors."""

    chat = OlderVLLMChat()


class VLLMHealth(Free):
    """`GET /health`: a status alone."""

    path = r"/health"
    wordings = WORDINGS

    def describe(self, request: Request, account: Account) -> Reply:
        """Be well."""
        del request, account
        return Reply(200, headers=())

    def error_body(self, wording: Wording) -> Any:
        """Write errors as the chat does; `write_error` drops them."""
        return VLLMChat().error_body(wording)

    def write_error(self, wording: Wording) -> Reply:
        """Answer with the status alone."""
        return Reply(wording.status, headers=())


class VLLMVersion(VLLMHealth):
    """`GET /version`."""

    path = r"/version"

    def describe(self, request: Request, account: Account) -> Reply:
        """Tell the version."""
        del request, account
        return json_reply(200, {"version": "0.19.0"})


_SERVED = ("Qwen/Qwen3-4B", "Phi-3-mini-128k-instruct-onnx")

VLLM = Dialect(
    name="vllm",
    prefix="/v1",
    key=None,
    models=_SERVED,
    endpoints=(VLLMChat(), VLLMEmbeddings(), VLLMModels(), VLLMHealth(), VLLMVersion()),
)
OLDER_VLLM = Dialect(
    name="vllm_older",
    prefix="/v1",
    key=None,
    models=_SERVED,
    endpoints=(OlderVLLMChat(), OlderVLLMModels(), VLLMHealth(), VLLMVersion()),
)
