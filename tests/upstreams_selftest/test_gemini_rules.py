"""Google's rules."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import ask, call, sample_of
from upstreams.samples import Sample

TURN = {"role": "user", "parts": [{"text": "x"}]}
JSON = {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}

ACCEPTED: list[dict[str, Any]] = [
    {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
    {"system_instruction": {"parts": [{"text": "Be brief."}]}, "generation_config": {}},
    {"generationConfig": {"maxOutputTokens": 5, "temperature": 2, "stopSequences": ["a"]}},
    {"generationConfig": JSON},
    {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}},
    {"contents": [{"parts": [{"text": "x"}]}]},
    {"contents": [TURN, {"role": "model", "parts": [{"text": "y"}]}, TURN]},
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, 'Unknown name "messages"'),
    ({"max_tokens": 5}, 'Unknown name "max_tokens"'),
    ({"generationConfig": {"max_tokens": 5}}, 'Unknown name "max_tokens" at "generation_config"'),
    ({"contents": None}, "contents is not specified"),
    ({"contents": []}, "contents is not specified"),
    ({"contents": ["x"]}, "expected an object"),
    ({"contents": [{"role": "assistant", "parts": [{}]}]}, "valid role"),
    ({"contents": [{"role": "system", "parts": [{}]}]}, "valid role"),
    ({"contents": [{"role": "user", "parts": []}]}, "parts must not be empty"),
    ({"contents": [{"role": "user", "content": "x"}]}, 'Unknown name "content"'),
    ({"systemInstruction": "Be brief."}, "system_instruction"),
    ({"generationConfig": {"temperature": 3}}, "temperature"),
    ({"generationConfig": {"stopSequences": "a"}}, "stop_sequences"),
    ({"generationConfig": {"stopSequences": list("abcdef")}}, "stopSequences"),
    ({"generationConfig": {"responseJsonSchema": {}}}, "response_mime_type"),
    ({"generationConfig": {**JSON, "responseSchema": {}}}, "Only one response schema"),
    ({"generationConfig": []}, "expected an object"),
]


@pytest.mark.parametrize("changes", ACCEPTED, ids=str)
async def test_gemini_accepts(changes: dict[str, Any]) -> None:
    """What the vendor allows gets an answer."""
    async with Upstream("gemini") as up:
        assert (await ask(up, sample_of(up, **changes))).status == 200
        assert not up.rejections


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=str)
async def test_gemini_refuses(changes: dict[str, Any], words: str) -> None:
    """What the vendor forbids gets its INVALID_ARGUMENT."""
    async with Upstream("gemini") as up:
        received = await ask(up, sample_of(up, **changes))

    assert received.status == received.json["error"]["code"] == 400
    assert received.json["error"]["status"] == "INVALID_ARGUMENT"
    assert words in received.json["error"]["message"]


async def test_a_wrong_key_is_a_400_with_a_reason() -> None:
    """No 401: the reason stands in the details."""
    async with Upstream("gemini") as up:
        sample = sample_of(up)
        wrong = await ask(up, Sample(sample.path, sample.body, {"x-goog-api-key": "no"}))
        missing = await ask(up, Sample(sample.path, sample.body, {}))
        in_query = await ask(up, Sample(f"{sample.path}?key={up.key}", sample.body, {}))

    assert wrong.status == 400
    assert wrong.json["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert (missing.status, in_query.status) == (403, 200)


async def test_an_unknown_model_is_not_found() -> None:
    """The model is in the path."""
    async with Upstream("gemini") as up:
        sample = sample_of(up)
        path = sample.path.replace(up.model, "gemini-9")
        received = await ask(up, Sample(path, sample.body, sample.headers))

    assert received.json["error"]["status"] == "NOT_FOUND"


async def test_a_plain_status_has_no_foreign_details() -> None:
    """A 401 does not say API_KEY_INVALID: that reason belongs to the 400."""
    async with Upstream("gemini") as up:
        up.script("status_401", "rate_limit_retry_info", "daily_quota")
        unauthenticated, limited, daily = [(await ask(up)).json["error"] for _ in range(3)]

    assert unauthenticated["status"] == "UNAUTHENTICATED"
    assert "details" not in unauthenticated
    assert limited["details"][0]["retryDelay"] == "34s"
    assert limited["status"] == daily["status"] == "RESOURCE_EXHAUSTED"
    assert "PerDay" in daily["details"][0]["violations"][0]["quotaId"]


async def test_the_list_comes_in_pages() -> None:
    """`pageSize` cuts it and `nextPageToken` goes on."""
    async with Upstream("gemini", models={"a", "b", "c"}) as up:
        headers = {"x-goog-api-key": up.key}
        first = (await call(up, "GET", "/v1beta/models?pageSize=2", headers=headers)).json
        token = first["nextPageToken"]
        path = f"/v1/models?pageSize=2&pageToken={token}"
        last = (await call(up, "GET", path, headers=headers)).json
        one = (await call(up, "GET", "/v1beta/models/b", headers=headers)).json
        none = await call(up, "GET", "/v1beta/models/z", headers=headers)

    assert [entry["name"] for entry in first["models"]] == ["models/a", "models/b"]
    assert [entry["name"] for entry in last["models"]] == ["models/c"]
    assert "nextPageToken" not in last
    assert one["name"] == "models/b"
    assert none.status == 404
