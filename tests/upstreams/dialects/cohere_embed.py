"""Cohere's embeddings."""

from collections.abc import Mapping
from typing import Any, ClassVar

from upstreams.dialects import fields
from upstreams.dialects.answer import estimate
from upstreams.dialects.base import Account
from upstreams.dialects.embeddings import Embedding
from upstreams.dialects.problems import Problem, Refused
from upstreams.dialects.vectors import SIZE, vector
from upstreams.messages import Reply, Request, json_reply

_FIELDS = frozenset(
    [
        "model",
        "texts",
        "images",
        "inputs",
        "input_type",
        "embedding_types",
        "output_dimension",
        "max_tokens",
        "truncate",
        "priority",
    ]
)
_KINDS = frozenset({"search_document", "search_query", "classification", "clustering", "image"})
_TYPES = frozenset({"float", "int8", "uint8", "binary", "ubinary", "base64"})
_MOST = 96


class CohereEmbed(Embedding):
    """`POST /v2/embed`: what the text is for must be said."""

    path = r"/v2/embed"
    models: ClassVar[tuple[str, ...]] = ("embed-v4.0", "embed-english-v3.0")

    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check model, texts, purpose and types."""
        fields.only(body, _FIELDS, message="invalid request: unknown field: parameter '{}'")
        fields.text(body, "model", message="invalid request: model is required")
        texts = fields.items(body, "texts", message="invalid request: texts is required")
        if len(texts) > _MOST or not all(isinstance(text, str) and text for text in texts):
            raise Refused(Problem.INVALID, f"invalid request: at most {_MOST} texts, none empty")
        if body.get("input_type") not in _KINDS:
            raise Refused(Problem.INVALID, "invalid request: valid input_type must be provided")
        if not set(body.get("embedding_types") or ["float"]) <= _TYPES:
            raise Refused(Problem.INVALID, "invalid request: embedding_types")
        fields.positive(body, "output_dimension")

    def describe(self, request: Request, account: Account) -> Reply:
        """Embed every text as numbers."""
        del account
        body = request.fields
        size = int(body.get("output_dimension") or SIZE)
        tokens = float(sum(estimate(text) for text in body["texts"]))
        meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}}
        answer = {
            "id": "e-1",
            "embeddings": {"float": [vector(text, size) for text in body["texts"]]},
            "texts": body["texts"],
            "meta": meta,
            "response_type": "embeddings_by_type",
        }
        return json_reply(200, answer)
