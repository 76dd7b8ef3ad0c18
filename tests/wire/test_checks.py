"""The free calls: what is sent, and what the answers show."""

import json
from typing import Any

import pytest

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire.types import Endpoint, Listing, WireResponse
from wire.codecs import CODECS

_KEY = "key-0123456789"
_OPENAI_LIST = {"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b"}]}


@pytest.mark.parametrize(
    ("codec", "base", "urls"),
    [
        ("openai", "https://api.openai.com/v1/", ["https://api.openai.com/v1/models"]),
        (
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            ["https://api.fireworks.ai/inference/v1/models"],
        ),
        (
            "openrouter",
            "https://openrouter.ai/api/v1",
            ["https://openrouter.ai/api/v1/key", "https://openrouter.ai/api/v1/models"],
        ),
        ("local", "http://127.0.0.1:8000", ["http://127.0.0.1:8000/v1/models"]),
        (
            "anthropic",
            "https://api.anthropic.com/v1",
            ["https://api.anthropic.com/v1/models?limit=1000"],
        ),
        ("gemini", "https://g.example/v1beta", ["https://g.example/v1beta/models?pageSize=1000"]),
        (
            "cohere_generate",
            "https://api.cohere.ai/v1",
            ["https://api.cohere.ai/v1/models?page_size=1000"],
        ),
        (
            "cohere_chat",
            "https://api.cohere.com",
            ["https://api.cohere.com/v1/models?page_size=1000"],
        ),
        ("ollama", "http://127.0.0.1:11434/v1", ["http://127.0.0.1:11434/api/tags"]),
        ("tgi", "http://127.0.0.1:3000/v1/", ["http://127.0.0.1:3000/info"]),
    ],
)
def test_free_call_is_written(codec: str, base: str, urls: list[str]) -> None:
    """Each vendor's free calls go where they belong, with the key in a header only (S11)."""
    requests = CODECS[codec].encode_check("m", Endpoint(base, _KEY))

    assert [request.url for request in requests] == urls
    assert {request.method for request in requests} == {"GET"}
    assert all(_KEY in str(dict(request.headers)) for request in requests)
    assert all(request.body == b"" for request in requests)


@pytest.mark.parametrize(
    ("codec", "body", "listing"),
    [
        ("openai", _OPENAI_LIST, Listing(("a", "b"), key_accepted=True)),
        ("openai", [{"id": "a"}], Listing(("a",), key_accepted=True)),
        ("openrouter", _OPENAI_LIST, Listing(("a", "b"))),
        ("openrouter", {"data": {"label": "x", "limit_remaining": 1}}, Listing(key_accepted=True)),
        ("huggingface", _OPENAI_LIST, Listing(("a", "b"))),
        ("local", {"object": "list", "data": []}, Listing(key_accepted=True)),
        (
            "local",
            {"data": [{"id": "model.gguf", "owned_by": "llamacpp"}]},
            Listing(("model.gguf",), key_accepted=True, any_name=True),
        ),
        (
            "anthropic",
            {"data": [{"id": "claude-sonnet-5", "lifecycle": "active"}], "has_more": False},
            Listing(("claude-sonnet-5",), key_accepted=True),
        ),
        (
            "gemini",
            {"models": [{"name": "models/gemini-3.8-flash"}, {"name": "tunedModels/t"}]},
            Listing(("gemini-3.8-flash", "tunedModels/t"), key_accepted=True),
        ),
        (
            "cohere_generate",
            {"models": [{"name": "command-r", "endpoints": ["generate"]}]},
            Listing(("command-r",), key_accepted=True),
        ),
        ("ollama", {"models": [{"name": "llama3.2:latest"}]}, Listing(("llama3.2:latest",))),
        ("tgi", {"model_id": "org/model", "version": "3"}, Listing(("org/model",), any_name=True)),
    ],
)
def test_free_call_is_read(codec: str, body: Any, listing: Listing) -> None:
    """A list shows names; only a call that needs the key says that the key works."""
    assert CODECS[codec].decode_check(WireResponse(200, {}, json.dumps(body).encode())) == listing


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[7]", b'{"data":7,"models":7}'])
def test_no_list_is_an_error(codec: Any, body: bytes) -> None:
    """A captive portal's page is not taken for a good key."""
    with pytest.raises(ProviderProtocolError):
        codec.decode_check(WireResponse(200, {}, body))
