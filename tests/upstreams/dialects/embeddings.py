"""Embeddings: OpenAI's format and the vendors who copy it, Google's, Cohere's, Ollama's."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from upstreams.dialects import fields
from upstreams.dialects.answer import estimate
from upstreams.dialects.base import (
    Account,
    Completing,
    Describing,
    check_bearer,
    check_json_object,
    check_window,
)
from upstreams.dialects.problems import Problem, Refused, Wording
from upstreams.dialects.vectors import SIZE, packed, vector
from upstreams.messages import Reply, Request, json_reply

_MOST = 2048
"""Inputs in one request at OpenAI."""


class Embedding(Describing):
    """An endpoint at which a model embeds: it is scripted as one at which a model answers."""

    completes = True
    chat: ClassVar[Completing]
    """Whose errors it shares."""
    models: ClassVar[tuple[str, ...]] = ()
    """Models that embed, besides those of the account."""

    def check(self, request: Request, account: Account) -> None:
        """Check key, shape, model and window."""
        self.check_key(request, account)
        body = check_json_object(request)
        self.check_shape(body)
        model = self.model(request)
        if model not in self.models and not account.knows_model(model):
            raise Refused(Problem.MODEL_UNKNOWN, f"The model `{model}` does not exist.")
        check_window(request, account)

    def check_key(self, request: Request, account: Account) -> None:
        """Check the key."""
        check_bearer(request, account)

    @abstractmethod
    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check the fields."""

    def model(self, request: Request) -> str:
        """Read which model the request names."""
        return str(request.fields.get("model", ""))

    def error_body(self, wording: Wording) -> Any:
        """Write errors as the chat does."""
        return self.chat.error_body(wording)

    def fail(self, problem: Problem, message: str | None = None, param: str | None = None) -> Reply:
        """Fail as the chat does."""
        return self.chat.fail(problem, message, param)

    def fail_with_status(self, status: int) -> Reply:
        """Fail as the chat does."""
        return self.chat.fail_with_status(status)


class OpenAIEmbeddings(Embedding):
    """`POST …/embeddings` in OpenAI's shape."""

    path = r"/v1/embeddings"
    known_fields: ClassVar[frozenset[str] | None] = None
    """Top-level fields that are accepted; None ignores unknown ones."""

    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check input, size and encoding."""
        if self.known_fields is not None:
            message = "Unrecognized request argument supplied: {}"
            fields.only(body, self.known_fields, message=message)
        fields.text(body, "model", message="you must provide a model parameter")
        given = body.get("input")
        entries = given if isinstance(given, list) else [given]
        if not entries or len(entries) > _MOST or not all(_is_input(item) for item in entries):
            raise Refused(Problem.INVALID, "'$.input' is invalid.", "input")
        fields.positive(body, "dimensions")
        if body.get("encoding_format") not in {None, "float", "base64"}:
            raise Refused(Problem.INVALID, "Invalid 'encoding_format'.", "encoding_format")

    def describe(self, request: Request, account: Account) -> Reply:
        """Embed every input; without an encoding asked for, as numbers."""
        del account
        body = request.fields
        inputs = _inputs(body["input"])
        vectors = [vector(text, int(body.get("dimensions") or SIZE)) for text in inputs]
        coded = body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": place, "embedding": packed(item) if coded else item}
            for place, item in enumerate(vectors)
        ]
        tokens = sum(estimate(text) for text in inputs)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        page = {"object": "list", "data": data, "model": self.model(request), "usage": usage}
        return json_reply(200, page)


def _is_input(item: Any) -> bool:
    if isinstance(item, str):
        return bool(item)
    return _is_token(item) or (
        isinstance(item, list) and bool(item) and all(_is_token(token) for token in item)
    )


def _is_token(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def _inputs(given: Any) -> list[str]:
    """Read the inputs as texts; a list of tokens is one input."""
    if isinstance(given, str) or _is_token(given[0]):
        return [_as_text(given)]
    return [_as_text(item) for item in given]


def _as_text(item: Any) -> str:
    return item if isinstance(item, str) else " ".join(str(token) for token in item)
