"""OpenAI's rules, and those of the vendors who copy its format."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import ask, call, sample_of
from upstreams.dialects.openai import masked

OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED: dict[str, Any] = {**OPEN, "additionalProperties": False, "required": ["a"]}
NESTED: dict[str, Any] = {
    **CLOSED,
    "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/b"}}},
    "$defs": {"b": OPEN},
}


def strict(schema: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Ask for strict structured output."""
    described = {"name": "d", "strict": True, "schema": schema, **changes}
    return {"type": "json_schema", "json_schema": described}


ACCEPTED: list[dict[str, Any]] = [
    {"max_tokens": 5, "temperature": 0.2, "top_p": 0.5, "stop": ["a", "b", "c", "d"]},
    {"max_completion_tokens": 5, "stop": "x", "temperature": 2},
    {"model": "gpt-5.5", "max_completion_tokens": 5, "temperature": 1, "top_p": 1},
    {"model": "gpt-5.5", "reasoning_effort": "none", "temperature": 0.2},
    {"model": "o3", "max_completion_tokens": 5},
    {"response_format": {"type": "json_object"}},
    {"response_format": strict(CLOSED)},
    {"response_format": strict(OPEN, strict=False)},
    {"messages": [{"role": "system", "content": "x"}, {"role": "developer", "content": "y"}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
]

REFUSED: list[tuple[dict[str, Any], str | None]] = [
    ({"model": "gpt-5.5", "max_tokens": 5}, "unsupported_parameter"),
    ({"model": "o4-mini", "max_tokens": 5}, "unsupported_parameter"),
    ({"model": "o3", "stop": "x"}, "unsupported_parameter"),
    ({"model": "gpt-6-sol", "temperature": 0.7}, "unsupported_value"),
    ({"model": "gpt-5.6-luna", "top_p": 0.9}, "unsupported_value"),
    ({"model": "gpt-4o", "max_tokens": 5, "max_completion_tokens": 5}, None),
    ({"prompt": "x"}, None),
    ({"top_k": 3}, None),
    ({"messages": []}, None),
    ({"messages": "x"}, None),
    ({"messages": [{"role": "model", "content": "x"}]}, None),
    ({"messages": [{"role": "user"}]}, None),
    ({"temperature": 3}, None),
    ({"temperature": "hot"}, None),
    ({"temperature": True}, None),
    ({"max_tokens": 0}, None),
    ({"max_tokens": 1.5}, None),
    ({"stop": ["a", "b", "c", "d", "e"]}, None),
    ({"stop": [""]}, None),
    ({"stream": "no"}, None),
    ({"stream_options": {"include_usage": True}}, None),
    ({"response_format": "json"}, None),
    ({"response_format": {"type": "json"}}, None),
    ({"response_format": {"type": "json_schema"}}, None),
    ({"response_format": strict(CLOSED, name=None)}, None),
    ({"response_format": strict(OPEN)}, None),
    ({"response_format": strict({**CLOSED, "required": []})}, None),
    ({"response_format": strict(NESTED)}, None),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
async def test_openai_accepts(changes: dict[str, Any]) -> None:
    """What the vendor allows gets an answer."""
    async with Upstream("openai") as up:
        assert (await ask(up, sample_of(up, **changes))).status == 200
        assert not up.rejections


@pytest.mark.parametrize(("changes", "code"), REFUSED, ids=str)
async def test_openai_refuses(changes: dict[str, Any], code: str | None) -> None:
    """What the vendor forbids gets its 400, with its code."""
    async with Upstream("openai") as up:
        received = await ask(up, sample_of(up, **changes))

    assert received.status == 400
    assert received.json["error"]["type"] == "invalid_request_error"
    assert received.json["error"]["code"] == code


async def test_openai_echoes_both_ends_of_a_wrong_key() -> None:
    """The error shows part of the key, which is why errors must be masked."""
    key = "sk-secret-0123456789-tail"
    async with Upstream("openai") as up:
        headers = {"authorization": f"Bearer {key}"}
        received = await call(up, "GET", "/v1/models", headers=headers)

    assert received.status == 401
    assert received.json["error"]["code"] == "invalid_api_key"
    assert masked(key) == "sk-se" + "*" * 16 + "tail"
    assert masked(key) in received.json["error"]["message"]


BAD_HEADERS: list[tuple[dict[str, str], int]] = [
    ({}, 401),
    ({"authorization": "Basic eDp5"}, 401),
    ({"authorization": "Bearer "}, 401),
    ({"authorization": "Bearer wrong"}, 401),
    ({"x-api-key": "{key}"}, 401),
    ({"authorization": "Bearer {key}", "content-type": "text/plain"}, 400),
]


@pytest.mark.parametrize(("headers", "status"), BAD_HEADERS, ids=str)
async def test_the_key_belongs_into_its_header(headers: dict[str, str], status: int) -> None:
    """Only `Authorization: Bearer` with a JSON body is accepted."""
    async with Upstream("openai") as up:
        given = {name: value.format(key=up.key) for name, value in headers.items()}
        given = {"content-type": "application/json", **given}
        received = await call(up, "POST", "/v1/chat/completions", headers=given, body=b"{}")

    assert received.status == status


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
async def test_the_body_must_be_a_json_object(body: bytes) -> None:
    """Anything else is a 400, not a crash."""
    async with Upstream("openai") as up:
        headers = {"authorization": f"Bearer {up.key}", "content-type": "application/json"}
        received = await call(up, "POST", "/v1/chat/completions", headers=headers, body=body)

    assert received.status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/chat/completions", 404),
        ("POST", "/v1/v1/chat/completions", 404),
        ("POST", "/v1//chat/completions", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
    ],
)
async def test_path_and_method_are_exact(method: str, path: str, status: int) -> None:
    """A slash too many or a prefix twice is another path."""
    async with Upstream("openai") as up:
        assert (await call(up, method, path)).status == status
        assert len(up.rejections) == 1


@pytest.mark.parametrize(
    ("dialect", "changes", "status", "words"),
    [
        ("fireworks", {"model": "llama"}, 404, "not found, inaccessible, and/or not deployed"),
        ("fireworks", {"max_tokens": 5, "max_completion_tokens": 5}, 400, "cannot both be set"),
        ("openrouter", {"model": "gpt-4o"}, 400, "not a valid model ID"),
        ("openrouter", {"model": "a/b"}, 404, "No endpoints found"),
        ("huggingface", {"model": "a/b"}, 400, "model_not_found"),
        ("together", {"model": "a/b"}, 404, "model_not_available"),
        ("vllm", {"model": "a"}, 404, "does not exist"),
        ("ollama", {"model": "a"}, 404, "model 'a' not found"),
    ],
)
async def test_copies_refuse_in_their_own_words(
    dialect: str, changes: dict[str, Any], status: int, words: str
) -> None:
    """The same mistake is worded differently everywhere."""
    async with Upstream(dialect) as up:
        received = await ask(up, sample_of(up, **changes))

    assert received.status == status
    assert words.encode() in received.body


@pytest.mark.parametrize(
    ("dialect", "changes"),
    [
        ("fireworks", {"max_completion_tokens": 5, "top_k": 3, "reasoning_effort": "none"}),
        ("openrouter", {"models": ["a/b"], "provider": {}, "reasoning": {"effort": "low"}}),
        ("huggingface", {"model": "openai/gpt-oss-120b:cheapest"}),
        ("together", {"top_k": 3, "repetition_penalty": 1.1}),
        ("vllm", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("llamacpp", {"model": "any name", "cache_prompt": True}),
    ],
)
async def test_copies_accept_their_own_fields(dialect: str, changes: dict[str, Any]) -> None:
    """Fields OpenAI does not know are fine where the vendor has or ignores them."""
    async with Upstream(dialect) as up:
        assert (await ask(up, sample_of(up, **changes))).status == 200


@pytest.mark.parametrize("dialect", ["openai", "fireworks", "openrouter", "together", "vllm"])
async def test_a_long_prompt_does_not_fit(dialect: str) -> None:
    """The window is counted at four characters a token."""
    async with Upstream(dialect, context_tokens=1000) as up:
        fits = sample_of(up, messages=[{"role": "user", "content": "x" * 3000}])
        long = sample_of(up, messages=[{"role": "user", "content": "x" * 5000}])

        assert (await ask(up, fits)).status == 200
        assert (await ask(up, long)).status == 400


@pytest.mark.parametrize(
    ("dialect", "path", "public"),
    [
        ("openai", "/v1/models", False),
        ("fireworks", "/inference/v1/models", False),
        ("together", "/v1/models", False),
        ("openrouter", "/api/v1/models", True),
        ("huggingface", "/v1/models", True),
        ("openrouter", "/api/v1/key", False),
    ],
)
async def test_who_may_see_a_list(dialect: str, path: str, *, public: bool) -> None:
    """Public lists say nothing about a key; the others refuse a wrong one."""
    async with Upstream(dialect) as up:
        right = await call(up, "GET", path, headers={"authorization": f"Bearer {up.key}"})
        wrong = await call(up, "GET", path, headers={"authorization": "Bearer no"})

    assert right.status == 200
    assert wrong.status == (200 if public else 401)


async def test_one_model_can_be_looked_up() -> None:
    """`/models/{id}` tells whether a model is there."""
    async with Upstream("openai") as up:
        headers = {"authorization": f"Bearer {up.key}"}
        assert (await call(up, "GET", "/v1/models/gpt-4o", headers=headers)).json["id"] == "gpt-4o"
        assert (await call(up, "GET", "/v1/models/gpt-9", headers=headers)).status == 404


@pytest.mark.parametrize(
    ("dialect", "shape"),
    [("openai", dict), ("openrouter", dict), ("together", list), ("vllm", dict)],
)
async def test_a_list_has_every_model(dialect: str, shape: type[Any]) -> None:
    """Together's list has no envelope."""
    async with Upstream(dialect, models={"m/a", "m/b"}) as up:
        path = f"{up.dialect.prefix}/models"
        body = (await call(up, "GET", path, headers={"authorization": f"Bearer {up.key}"})).json

    assert isinstance(body, shape)
    entries = body["data"] if isinstance(body, dict) else body
    assert [entry["id"] for entry in entries] == ["m/a", "m/b"]
