"""JSON schemas, narrowed to what vendors accept."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from faultmaven.infrastructure.llm.wire import schema
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint
from faultmaven.models.prompt import Message, StructuredOutput
from upstreams.dialects import schemas
from wire.codecs import CODECS


class _Quote(BaseModel):
    text: str
    line: int | None = None


class _Diagnosis(BaseModel):
    cause: str
    quotes: list[_Quote] = []
    first: _Quote | None = None


_leaf = st.sampled_from(
    [
        {"type": "string", "maxLength": 9, "default": ""},
        {"type": "integer", "minimum": 1},
        {"type": ["string", "null"], "description": "d"},
        {"enum": ["a", "b"]},
        {"$ref": "#/$defs/x", "description": "d"},
        {"type": "object"},
        {"type": "string", "not": {"const": ""}},
    ]
)


def _objects(inner: Any) -> Any:
    properties = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return st.builds(lambda named: {"type": "object", "properties": named}, properties)


_schemas = st.recursive(
    _leaf,
    lambda inner: (
        _objects(inner)
        | st.builds(lambda item: {"type": "array", "items": item, "minItems": 1}, inner)
        | st.builds(lambda item: {"anyOf": [item, {"type": "null"}]}, inner)
    ),
    max_leaves=8,
)


@given(original=_schemas)
def test_strict_is_closed_and_complete_or_nothing(original: dict[str, Any]) -> None:
    """What strict mode gets passes the vendor's own checks, and the original is left alone."""
    before = copy.deepcopy(original)

    adapted = schema.strict(original)

    assert original == before
    if adapted is not None:
        schemas.closed(adapted, message="open")
        schemas.complete(adapted, message="incomplete")
        assert schema.strict(adapted) == adapted


@given(original=_schemas)
def test_closed_has_no_bounds_or_nothing(original: dict[str, Any]) -> None:
    """What Anthropic gets is closed, and holds none of the keywords it refuses."""
    adapted = schema.closed(original)

    if adapted is not None:
        schemas.closed(adapted, message="open")
        bounds = frozenset({"minimum", "maxLength", "minItems", "default"})
        schemas.without(adapted, keywords=bounds, message="{}")
        assert schema.closed(adapted) == adapted


def test_schema_of_a_pydantic_model_is_expressible() -> None:
    """The schemas our own models give, references included, can be sent strictly."""
    adapted = schema.strict(_Diagnosis.model_json_schema())

    assert adapted is not None
    assert adapted["required"] == ["cause", "quotes", "first"]
    assert adapted["$defs"]["_Quote"]["required"] == ["text", "line"]
    assert adapted["$defs"]["_Quote"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "original",
    [
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {}}}},
        {"allOf": [{"type": "string"}]},
        {"type": "array", "items": {"oneOf": [{"type": "string"}]}},
        {"$defs": {"x": {"if": {}, "then": {}}}, "type": "string"},
    ],
)
def test_what_strict_mode_cannot_say_is_not_said(original: dict[str, Any]) -> None:
    """An open or conditional schema is not bent into something else."""
    assert schema.strict(original) is None
    assert schema.closed(original) is None


def test_property_named_like_a_keyword_is_a_property() -> None:
    """A property called ``default`` or ``minimum`` survives: only keywords are dropped."""
    original = {
        "type": "object",
        "properties": {"default": {"type": "string"}, "minimum": {"type": "integer"}},
    }

    adapted = schema.closed(original)

    assert adapted == original | {"additionalProperties": False}


@pytest.mark.parametrize(
    ("codec", "models", "means"),
    [
        ("openai", "gpt-4o gpt-4o-mini gpt-4.1 gpt-5.5 gpt-5.6-sol gpt-6-luna o3 o4-mini", True),
        ("openai", "gpt-3.5-turbo gpt-4 gpt-4-turbo meta-llama/Llama-2-70b-chat-hf", False),
        ("openai", "gpt-4o-2024-05-13 gpt-oss-120b", False),
        ("fireworks", "accounts/fireworks/models/llama-v3p1-8b-instruct", True),
        ("huggingface", "openai/gpt-oss-120b tiiuae/falcon-7b-instruct", False),
        ("openrouter", "openai/gpt-5.2 google/gemini-3.1-pro-preview", True),
        ("openrouter", "anthropic/claude-3-sonnet openai/gpt-4 meta-llama/llama-3-8b", False),
        ("local", "Phi-3-mini-128k-instruct-onnx llama3.2:latest", True),
        ("anthropic", "claude-sonnet-4-5-20250929 claude-opus-4-8 claude-sonnet-5", True),
        ("anthropic", "claude-haiku-5-5 claude-opus-5-5 claude-haiku-4-5", True),
        ("anthropic", "claude-3-5-sonnet-20241022 claude-3-opus-20240229", False),
        ("anthropic", "claude-sonnet-4-20250514 claude-opus-4-20250514", False),
        ("gemini", "gemini-2.5-pro gemini-3.8-flash models/gemini-3.5-flash-lite", True),
        ("gemini", "gemini-1.5-pro gemini-pro-vision gemini-2.5-flash-image", False),
        ("cohere_chat", "command-a-03-2025", True),
        ("cohere_generate", "command-r-plus", False),
        ("ollama", "llama3.2", True),
        ("tgi", "any", True),
        ("huggingface_endpoint", "any", False),
    ],
)
def test_schema_is_promised_only_where_it_is_kept(codec: str, models: str, *, means: bool) -> None:
    """A model that cannot be held to a schema is not said to be."""
    expected = StructuredOutput.JSON_SCHEMA if means else StructuredOutput.NONE

    assert {CODECS[codec].structured(model) for model in models.split()} == {expected}


def test_what_is_remembered_of_one_schema_is_never_sent_for_another() -> None:
    """Schemas that come and go, some at the same place in memory, are each sent as they are."""
    codec, endpoint = CODECS["openai"], Endpoint("http://127.0.0.1:9", "key")
    lasting = _listing("lasting")
    for number in range(100):
        for wish, name in ((_listing(f"n{number}"), f"n{number}"), (lasting, "lasting")):
            request = CompletionRequest("gpt-4o", (Message("user", "Why?"),), response_schema=wish)
            sent = json.loads(codec.encode(request, endpoint).body)
            assert list(sent["response_format"]["json_schema"]["schema"]["properties"]) == [name]


def _listing(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}}
