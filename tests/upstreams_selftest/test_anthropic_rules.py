"""Anthropic's rules."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import ask, call, sample_of
from upstreams.samples import Sample

USER = {"role": "user", "content": "x"}
ASSISTANT = {"role": "assistant", "content": "y"}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "additionalProperties": False,
}


def output(schema: dict[str, Any]) -> dict[str, Any]:
    """Ask for JSON."""
    return {"format": {"type": "json_schema", "schema": schema}}


ACCEPTED: list[dict[str, Any]] = [
    {"system": "Be brief.", "stop_sequences": ["END"]},
    {"temperature": 0.2, "top_p": 0.9},
    {"model": "claude-sonnet-4-6", "temperature": 0.2},
    {"model": "claude-sonnet-5", "temperature": 1, "top_p": 1},
    {"messages": [USER, USER, ASSISTANT, USER]},
    {"messages": [USER, ASSISTANT]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
    {"output_config": output(SCHEMA)},
    {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}},
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"messages": [{"role": "system", "content": "x"}, USER]}, "top-level `system`"),
    ({"messages": [ASSISTANT, USER]}, "first message"),
    ({"messages": []}, "at least one message"),
    ({"messages": [{"role": "user", "content": ""}]}, "non-empty"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "non-empty"),
    ({"messages": [{"role": "user"}]}, "Field required"),
    ({"messages": ["x"]}, "Unexpected role"),
    ({"stop": ["END"]}, "stop: Extra inputs are not permitted"),
    ({"response_format": {}}, "Extra inputs are not permitted"),
    ({"temperature": 1.5}, "temperature"),
    ({"system": 7}, "system"),
    ({"model": "claude-sonnet-5", "temperature": 0.7}, "not supported by this model"),
    ({"model": "claude-opus-4-8", "top_p": 0.9}, "not supported by this model"),
    ({"model": "claude-haiku-5-5", "top_k": 5}, "not supported by this model"),
    ({"model": "claude-sonnet-5-5", "messages": [USER, ASSISTANT]}, "prefill"),
    ({"output_config": output({"type": "object"})}, "additionalProperties"),
    (
        {"output_config": output({**SCHEMA, "properties": {"a": {"minimum": 1}}})},
        "'minimum' is not supported",
    ),
    ({"output_config": {"format": {"type": "json_object"}}}, "JSON schema"),
    ({"output_config": {"format": "json"}}, "expected an object"),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
async def test_anthropic_accepts(changes: dict[str, Any]) -> None:
    """What the vendor allows gets an answer."""
    async with Upstream("anthropic") as up:
        assert (await ask(up, sample_of(up, **changes))).status == 200
        assert not up.rejections


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=str)
async def test_anthropic_refuses(changes: dict[str, Any], words: str) -> None:
    """What the vendor forbids gets its 400."""
    async with Upstream("anthropic") as up:
        received = await ask(up, sample_of(up, **changes))

    assert received.status == 400
    assert received.json["type"] == "error"
    assert received.json["error"]["type"] == "invalid_request_error"
    assert words in received.json["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-api-key": "{key}", "anthropic-version": "2023-06-01"}, 200),
        ({"authorization": "Bearer {key}", "anthropic-version": "2026-10-21"}, 200),
        ({"x-api-key": "no", "authorization": "Bearer {key}"}, 401),
        ({"anthropic-version": "2023-06-01"}, 401),
        ({"x-api-key": "{key}"}, 400),
        ({"x-api-key": "{key}", "anthropic-version": "2025-01-01"}, 400),
    ],
)
async def test_key_and_version(headers: dict[str, str], status: int) -> None:
    """`x-api-key` wins over a bearer token, and a known version is required."""
    async with Upstream("anthropic") as up:
        given = {name: value.format(key=up.key) for name, value in headers.items()}
        sample = sample_of(up)
        assert (await ask(up, Sample(sample.path, sample.body, given))).status == status
        assert (await call(up, "GET", "/v1/models", headers=given)).status == status


@pytest.mark.parametrize("field", [{"temperature": 1}, {"top_p": 1}, {"top_k": None}])
async def test_the_newest_version_takes_no_sampling_at_all(field: dict[str, Any]) -> None:
    """Even the default values are refused, for every model."""
    async with Upstream("anthropic") as up:
        sample = sample_of(up)
        headers = {**sample.headers, "anthropic-version": "2026-10-21"}
        received = await ask(up, Sample(sample.path, {**sample.body, **field}, headers))

    assert received.status == 400
    assert "not supported in this API version" in received.json["error"]["message"]


async def test_an_unknown_model_is_not_found() -> None:
    """It is named in the vendor's words."""
    async with Upstream("anthropic") as up:
        received = await ask(up, sample_of(up, model="claude-2"))

    assert received.status == 404
    assert received.json["error"] == {"type": "not_found_error", "message": "model: claude-2"}


async def test_the_list_tells_the_lifecycle() -> None:
    """Each model has its state and its limits."""
    async with Upstream("anthropic", models={"claude-b", "claude-a"}) as up:
        page = (await call(up, "GET", "/v1/models", headers=dict(sample_of(up).headers))).json

    assert [entry["id"] for entry in page["data"]] == ["claude-a", "claude-b"]
    assert page["has_more"] is False
    assert page["data"][0]["lifecycle"] == "active"
