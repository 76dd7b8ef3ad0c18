"""llama.cpp's server: serves one model under any name, tells how far it has loaded."""

from collections.abc import Iterator, Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, Finish, as_pieces, as_text, count
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_bearer,
    check_json_object,
    check_window,
)
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.embeddings import OpenAIEmbeddings
from upstreams.dialects.problems import PLAIN, Problem, Wording
from upstreams.dialects.stream import Event, Stage
from upstreams.messages import Reply, Request, json_reply

_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
    404: "not_found_error", 501: "not_supported_error", 503: "unavailable_error",
}  # fmt: skip

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.CONTEXT: Wording(
        400,
        "the request exceeds the available context size, try increasing it",
        "exceed_context_size_error",
        extra={"n_prompt_tokens": 9000, "n_ctx": 4096},
    ),
    Problem.KEY_MISSING: Wording(401, "Invalid API Key"),
    Problem.KEY_WRONG: Wording(401, "Invalid API Key"),
    Problem.ROUTE: Wording(404, "File Not Found"),
    Problem.LOADING: Wording(503, "Loading model"),
    Problem.UNAVAILABLE: Wording(503, "Loading model"),
}
_TIMINGS = {"prompt_n": 9, "prompt_ms": 12.5, "predicted_n": 4, "predicted_ms": 40.0}


def _error(wording: Wording) -> dict[str, Any]:
    kind = wording.kind or _KINDS.get(wording.status, "server_error")
    error = {"code": wording.status, "message": wording.message, "type": kind}
    return {"error": error | dict(wording.extra)}


class LlamaChat(ChatCompletions):
    """`POST /v1/chat/completions`, with or without the prefix."""

    path = r"(/v1)?/chat/completions"
    wordings = WORDINGS
    reasoning_field = "reasoning_content"
    pairs_calls = False

    def check(self, request: Request, account: Account) -> None:
        """Check all but the model: whatever its name, the one loaded answers."""
        super().check(request, Account(account.keys, None, account.context_tokens))

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Add how long it took."""
        return super().payload(request, answer) | {"timings": _TIMINGS}

    def chunk(
        self, request: Request, choice: dict[str, Any], usage: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Add how long it took to the last chunk."""
        body = super().chunk(request, choice, usage)
        return body | ({"timings": _TIMINGS} if choice["finish_reason"] else {})

    def error_body(self, wording: Wording) -> Any:
        """Write llama.cpp's error."""
        return _error(wording)


class LlamaEmbeddings(OpenAIEmbeddings):
    """`POST (/v1)?/embeddings` at llama.cpp."""

    path = r"(/v1)?/embeddings"
    chat = LlamaChat()
    wordings = WORDINGS

    def check(self, request: Request, account: Account) -> None:
        """Check all but the model: whatever its name, the one loaded embeds."""
        super().check(request, Account(account.keys, None, account.context_tokens))


class LlamaModels(ModelList):
    """`GET /v1/models`."""

    path = r"/v1/models"
    chat = LlamaChat()


class _Voice(Endpoint):
    wordings = WORDINGS

    def error_body(self, wording: Wording) -> Any:
        """Write llama.cpp's error."""
        return _error(wording)


class LlamaCompletion(_Voice, Completing):
    """`POST /completion`: the native endpoint."""

    path = r"/completion"

    def check(self, request: Request, account: Account) -> None:
        """Check key, prompt and window."""
        check_bearer(request, account)
        body = check_json_object(request)
        fields.text(body, "prompt", message='"prompt" must be a string')
        check_window(request, account)

    def model(self, request: Request) -> str:
        """Say nothing: the request names none."""
        del request
        return ""

    def wants_json(self, request: Request) -> bool:
        """Look for a schema or a grammar."""
        return bool(request.fields.get("json_schema") or request.fields.get("grammar"))

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write the content."""
        text = as_text(answer, wants_json=self.wants_json(request))
        tokens = count(request.body, answer, text)
        stop = "limit" if answer.finish is Finish.LENGTH else "eos"
        counts = {"tokens_evaluated": tokens.prompt, "tokens_predicted": tokens.completion}
        body = {"content": text, "stop": True, "stop_type": stop, "timings": _TIMINGS}
        return body | (counts if answer.usage else {})

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell the content in pieces, the rest at the end."""
        whole = self.payload(request, answer)
        for piece in as_pieces(answer, whole["content"]):
            yield Event(Stage.CONTENT, {"content": piece, "stop": False})
        yield Event(Stage.FINISH, whole | {"content": ""})


class LlamaHealth(_Voice, Free):
    """`GET /health`."""

    path = r"(/v1)?/health"

    def describe(self, request: Request, account: Account) -> Reply:
        """Be well; scripted with `loading` it says 503 as the server does at its start."""
        del request, account
        return json_reply(200, {"status": "ok"})


class LlamaProperties(_Voice, Free):
    """`GET /props`."""

    path = r"/props"

    def describe(self, request: Request, account: Account) -> Reply:
        """Describe the loaded model."""
        del request
        settings = {"n_ctx": account.context_tokens or 4096}
        model = next(iter(account.listed), "model.gguf")
        return json_reply(200, {"default_generation_settings": settings, "model_path": model})


LLAMACPP = Dialect(
    name="llamacpp",
    prefix="/v1",
    key=None,
    models=("model.gguf",),
    endpoints=(
        LlamaChat(),
        LlamaEmbeddings(),
        LlamaModels(),
        LlamaCompletion(),
        LlamaHealth(),
        LlamaProperties(),
    ),
)
