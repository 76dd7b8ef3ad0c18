"""Ollama: its native API, which streams unless told otherwise, and its OpenAI route."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, Call, Finish, as_pieces, as_text, count, cut, estimate
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_bearer,
    check_json_object,
)
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.embeddings import Embedding, OpenAIEmbeddings
from upstreams.dialects.ollama_rules import check_format, check_messages, check_tools
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, JsonLines, Stage
from upstreams.dialects.vectors import vector
from upstreams.messages import Reply, Request, json_reply

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.KEY_MISSING: Wording(401, "unauthorized"),
    Problem.KEY_WRONG: Wording(401, "unauthorized"),
    Problem.ROUTE: Wording(404, "404 page not found"),
    Problem.METHOD: Wording(405, "405 method not allowed"),
    Problem.MODEL_UNKNOWN: Wording(404, "model 'x' not found"),
    Problem.MODEL_RETIRED: Wording(404, "model 'x' not found"),
    Problem.CONTEXT: Wording(400, "the input length exceeds the context length"),
    Problem.SERVER: Wording(500, "llama runner process has terminated: exit status 2"),
    Problem.UNAVAILABLE: Wording(503, "server busy, please try again. maximum pending requests"),
    Problem.LOADING: Wording(503, "server busy, loading model"),
}
_CREATED_AT = "2026-11-22T10:00:00.000000Z"


class _Voice(Endpoint):
    """Ollama's errors: a bare string."""

    wordings = WORDINGS

    def error_body(self, wording: Wording) -> Any:
        """Write the error string."""
        return {"error": wording.message}

    def write_error(self, wording: Wording) -> Reply:
        """Write JSON, except for a path or method it does not have: that is plain text."""
        if wording in (WORDINGS[Problem.ROUTE], WORDINGS[Problem.METHOD]):
            headers = (("content-type", "text/plain"),)
            return Reply(wording.status, wording.message.encode(), headers)
        return super().write_error(wording)


class NativeChat(_Voice, Completing):
    """`POST /api/chat`."""

    path = r"/api/chat"
    framing = JsonLines()
    ping = None

    def check(self, request: Request, account: Account) -> None:
        """Check model, messages, format, options; the rest is ignored, long prompts are cut."""
        check_bearer(request, account)
        body = check_json_object(request)
        model = fields.text(body, "model", message="model is required")
        if not serves(account, model):
            raise Refused(Problem.MODEL_UNKNOWN, f"model '{model}' not found")
        check_messages(body.get("messages"))
        check_tools(body)
        check_format(body.get("format"))
        fields.mapping(body, "options")

    def model(self, request: Request) -> str:
        """Read the body's `model`."""
        return str(request.fields.get("model", ""))

    def wants_json(self, request: Request) -> bool:
        """Look for `format`."""
        return bool(request.fields.get("format"))

    def streams(self, request: Request) -> bool:
        """Stream unless the request says `stream: false`."""
        return request.fields.get("stream") is not False

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell the thinking, the text and the tool calls; everything else stands in the last."""
        whole = self.payload(request, answer)
        for stage, message in _told(answer, whole["message"]):
            line = {"model": whole["model"], "created_at": _CREATED_AT}
            yield Event(stage, line | {"message": message, "done": False})
        yield Event(Stage.FINISH, whole | {"message": {"role": "assistant", "content": ""}})

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write the final object."""
        text = as_text(answer, wants_json=self.wants_json(request))
        body: dict[str, Any] = {
            "model": self.model(request),
            "created_at": _CREATED_AT,
            "message": _message(answer, text),
            "done": True,
            "done_reason": "length" if answer.end is Finish.LENGTH else "stop",
            "total_duration": 5_000_000,
            "load_duration": 1_000_000,
        }
        if answer.usage:
            tokens = count(request.body, answer, text)
            body |= {"prompt_eval_count": tokens.prompt, "eval_count": tokens.completion}
        return body

    def error_in_answer(self, request: Request) -> Any | None:
        """Write the line that ends a failed stream."""
        del request
        return {"error": "an error was encountered while running the model"}


class OllamaChat(ChatCompletions):
    """`POST /v1/chat/completions` on Ollama."""

    wordings = WORDINGS
    reasoning_field = "reasoning"
    pairs_calls = False

    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check the shape; `max_completion_tokens` and other unknown fields are ignored."""
        super().check_shape({key: value for key, value in body.items() if key != "stream_options"})

    def check_vendor_rules(self, body: Mapping[str, Any]) -> None:
        """Demand nothing more."""

    def check(self, request: Request, account: Account) -> None:
        """Let a model's name stand for its tag `latest`; long prompts are cut in silence."""
        models = account.models
        if models is not None:
            models |= {name.removesuffix(":latest") for name in models}
        super().check(request, replace(account, models=models, context_tokens=None))

    def refuse_model(self, model: str) -> None:
        """Word it as Ollama does."""
        raise Refused(Problem.MODEL_UNKNOWN, f"model '{model}' not found")

    def error_object(self, wording: Wording) -> dict[str, Any]:
        """Write the few fields Ollama fills."""
        kinds = {404: "not_found_error", 400: "invalid_request_error"}
        kind = kinds.get(wording.status, "api_error")
        return {"message": wording.message, "type": kind, "param": None, "code": None}


class OllamaEmbeddings(OpenAIEmbeddings):
    """`POST /v1/embeddings` on Ollama."""

    chat = OllamaChat()
    wordings = WORDINGS


class NativeEmbed(Embedding):
    """`POST /api/embed`."""

    path = r"/api/embed"
    chat = NativeChat()
    wordings = WORDINGS

    def check(self, request: Request, account: Account) -> None:
        """Let a model's name stand for its tag `latest`; long inputs are cut in silence."""
        usable = account
        if serves(account, self.model(request)):
            usable = replace(account, models=None)
        super().check(request, replace(usable, context_tokens=None))

    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check model and input."""
        fields.text(body, "model", message="model is required")
        given = body.get("input", [])
        items = given if isinstance(given, list) else [given]
        if not all(isinstance(item, str) for item in items):
            raise Refused(Problem.INVALID, "invalid input type")

    def describe(self, request: Request, account: Account) -> Reply:
        """Embed every input."""
        del account
        given = request.fields.get("input", [])
        texts = [given] if isinstance(given, str) else given
        body = {
            "model": self.model(request),
            "embeddings": [vector(text) for text in texts],
            "total_duration": 5_000_000,
            "load_duration": 1_000_000,
            "prompt_eval_count": sum(estimate(text) for text in texts),
        }
        return json_reply(200, body)


class OllamaModels(ModelList):
    """`GET /v1/models` on Ollama."""

    path = r"/v1/models"
    chat = OllamaChat()


class Tags(_Voice, Free):
    """`GET /api/tags`: the models on disk."""

    path = r"/api/tags"

    def describe(self, request: Request, account: Account) -> Reply:
        """List the models."""
        del request
        models = [{"name": m, "model": m, "size": 1_000_000_000} for m in account.listed]
        return json_reply(200, {"models": models})


class Version(_Voice, Free):
    """`GET /api/version`."""

    path = r"/api/version"

    def describe(self, request: Request, account: Account) -> Reply:
        """Tell the version."""
        del request, account
        return json_reply(200, {"version": "0.13.1"})


class Root(_Voice, Free):
    """`GET /`: a sign of life in plain text."""

    path = r"/"

    def describe(self, request: Request, account: Account) -> Reply:
        """Say that it runs."""
        del request, account
        return Reply(200, b"Ollama is running", (("content-type", "text/plain"),))


def serves(account: Account, model: str) -> bool:
    """Tell whether a model is there, by its name or by its name and the tag `latest`."""
    return account.knows_model(model) or account.knows_model(f"{model}:latest")


def _message(answer: Answer, text: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if answer.thinking:
        message["thinking"] = answer.thinking
    if answer.calls:
        message["tool_calls"] = [_call(place, call) for place, call in enumerate(answer.calls)]
    return message


def _call(place: int, call: Call) -> dict[str, Any]:
    function = {"index": place, "name": call.name, "arguments": dict(call.arguments)}
    return {"id": call.id, "function": function} if call.id else {"function": function}


def _told(answer: Answer, message: Mapping[str, Any]) -> Iterator[tuple[Stage, dict[str, Any]]]:
    """Cut a message; a tool call is never cut."""
    silent = {"role": "assistant", "content": ""}
    for piece in cut(answer.thinking or ""):
        yield Stage.THINKING, silent | {"thinking": piece}
    for piece in as_pieces(answer, message["content"]):
        yield Stage.CONTENT, silent | {"content": piece}
    for call in message.get("tool_calls", ()):
        yield Stage.CONTENT, silent | {"tool_calls": [call]}


OLLAMA = Dialect(
    name="ollama",
    prefix="",
    key=None,
    models=("llama3.2:latest", "qwen3:4b", "Phi-3-mini-128k-instruct-onnx"),
    endpoints=(
        NativeChat(),
        OllamaChat(),
        NativeEmbed(),
        OllamaEmbeddings(),
        OllamaModels(),
        Tags(),
        Version(),
        Root(),
    ),
)
