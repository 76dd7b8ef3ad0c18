"""Bad requests: a 4xx problem that names field and fix, and never repeats what was sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.service import QUESTION, TROUBLESHOOT, client_of, container_of, problem
from faultmaven.models.request import TroubleshootRequest

MARKER = "marker-7f3ac1"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that takes a megabyte at most."""
    container = container_of(tmp_path, variables={"MAX_BODY_BYTES": "1000000"})
    async with client_of(container) as client:
        yield client


async def post(
    client: httpx.AsyncClient, body: bytes, headers: Mapping[str, str] = JSON
) -> httpx.Response:
    """Send bytes as they are."""
    return await client.post(TROUBLESHOOT, content=body, headers=headers)


UNREADABLE: tuple[tuple[str, bytes, str, str], ...] = (
    ("empty", b"", "is missing", "session_id and query"),
    ("white space", b" \n ", "is missing", "session_id and query"),
    ("cut", b'{"query": "x', "is not valid JSON at line 1, column 12", "brackets"),
    ("a comma too many", b'{\n"query": "x",\n}', "is not valid JSON at line 3", "brackets"),
    ("not JSON", b"query=why", "is not valid JSON at line 1", "brackets"),
    ("invalid UTF-8", b'{"query": "\xff\xfe"}', "is not UTF-8 from byte 11 on", "UTF-8"),
    ("UTF-16", json.dumps(QUESTION).encode("utf-16"), "is not UTF-8 from byte 0", "UTF-8"),
    ("a raw control character", b'{"query": "\x00"}', "is not valid JSON at line 1", "brackets"),
    ("half a surrogate", b'{"query": "\\ud800"}', "is not valid JSON at line 1", "brackets"),
    ("a depth bomb of lists", b"[" * 100_000, "is nested too deeply", "Flatten"),
    (
        "a depth bomb in the context",
        b'{"session_id":"s","query":"q","context":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        "is nested too deeply",
        "Flatten",
    ),
)


@pytest.mark.parametrize(
    ("body", "message", "fix"), [case[1:] for case in UNREADABLE], ids=[c[0] for c in UNREADABLE]
)
async def test_what_cannot_be_read_is_400(
    client: httpx.AsyncClient, body: bytes, message: str, fix: str
) -> None:
    """The problem says what is wrong with the body, where, and what mends it."""
    response = await post(client, body)
    assert response.status_code == 400
    told = problem(response)
    assert told["error_class"] == "malformed_body"
    assert told["detail"].startswith(f"body {message}")
    assert fix in told["hint"]
    (fault,) = told["errors"]
    assert fault["field"] == "body"
    assert fault["message"].startswith(message)


WRONG: tuple[tuple[str, Any, str, str], ...] = (
    ("not an object", [QUESTION], "body", "must be an object"),
    ("null", None, "body", "must be an object"),
    ("no query", {"session_id": "s"}, "query", "is missing"),
    ("no session", {"query": "q"}, "session_id", "is missing"),
    ("blank", {**QUESTION, "query": " \n\u200b"}, "query", "must not be blank"),
    ("wrong type", {**QUESTION, "query": 5}, "query", "must be a string"),
    ("a number in quotes", {**QUESTION, "max_tokens": "5"}, "max_tokens", "whole number"),
    ("a control character", {**QUESTION, "query": "a\u0007"}, "query", "U+0007"),
    ("too long", {**QUESTION, "session_id": "x" * 500}, "session_id", "at most 128"),
    ("out of range", {**QUESTION, "temperature": 9}, "temperature", "at most 2"),
    ("a wrong choice", {**QUESTION, "priority": "asap"}, "priority", "must be one of"),
    ("misspelt", {**QUESTION, "attachmnts": []}, "attachmnts", "is not a field"),
    (
        "inside an attachment",
        {**QUESTION, "attachments": [{"name": "a.log", "content": 1}]},
        "attachments.0.content",
        "must be a string",
    ),
    ("an unknown provider", {**QUESTION, "provider": "nobody"}, "provider", "not configured"),
)


@pytest.mark.parametrize(
    ("body", "field", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
async def test_what_is_wrong_is_422(
    client: httpx.AsyncClient, body: Any, field: str, message: str
) -> None:
    """The problem names the field, what is wrong with it, and the fix."""
    response = await post(client, json.dumps(body).encode())
    assert response.status_code == 422
    told = problem(response)
    assert told["error_class"] == "invalid_input"
    assert told["hint"]
    assert told["detail"].startswith(field)
    fault = next(fault for fault in told["errors"] if fault["field"] == field)
    assert message in fault["message"]
    assert fault["fix"]


async def test_every_fault_is_told_up_to_a_bound(client: httpx.AsyncClient) -> None:
    """Twenty faults are a day's work; a thousand would be an answer larger than the request."""
    few = problem(await post(client, b'{"query": 1, "session_id": 2}'))
    assert [fault["field"] for fault in few["errors"]] == ["session_id", "query"]
    assert few["detail"] == "session_id must be a string (and 1 more)"
    many = {**QUESTION, "attachments": [{}] * 20, "providers": [1] * 20}
    told = problem(await post(client, json.dumps(many).encode()))
    assert len(told["errors"]) == 20


TYPES: tuple[dict[str, str], ...] = (
    {},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "application/json; charset=latin-1"},
    {"Content-Type": "application/jsonx"},
    {"Content-Type": "application/json" + ";" * 300},
    {**JSON, "Content-Encoding": "gzip"},
)


@pytest.mark.parametrize("headers", TYPES, ids=str)
async def test_other_types_of_body_are_415(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """What is not said to be plain JSON is not read, a form of another web page least of all."""
    response = await post(client, json.dumps(QUESTION).encode(), headers)
    assert response.status_code == 415
    told = problem(response)
    assert told["errors"][0]["field"] in {"Content-Type", "Content-Encoding"}
    assert told["hint"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", "application/problem+json"],
)
async def test_json_is_json_however_it_is_written(
    client: httpx.AsyncClient, content_type: str
) -> None:
    """Case, charset and structured suffixes are as HTTP has them."""
    body = json.dumps(QUESTION).encode()
    assert (await post(client, body, {"Content-Type": content_type})).status_code == 200


async def test_a_body_over_the_limit_is_413(client: httpx.AsyncClient) -> None:
    """The limit is told, and one byte below it passes to the next check."""
    frame = len(json.dumps({**QUESTION, "query": ""}))
    at_limit = json.dumps({**QUESTION, "query": "x" * (1_000_000 - frame)}).encode()
    assert (await post(client, at_limit)).status_code == 200
    response = await post(client, at_limit + b" ")
    assert response.status_code == 413
    told = problem(response)
    assert told["detail"] == "body has more than 1,000,000 bytes"
    assert "MAX_BODY_BYTES" in told["hint"]


@pytest.mark.parametrize("seconds", ["", "soon", "0", "-1", "nan", "inf", "3601", "1e400"])
async def test_a_timeout_that_is_none_is_422(client: httpx.AsyncClient, seconds: str) -> None:
    """The header takes seconds, in bounds."""
    headers = {**JSON, "X-Request-Timeout": seconds}
    response = await post(client, json.dumps(QUESTION).encode(), headers)
    assert response.status_code == 422
    assert problem(response)["errors"][0]["field"] == "X-Request-Timeout"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just(MARKER)
    | st.text(max_size=5).map(lambda text: f"{text}\x01{MARKER}"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
almost = st.fixed_dictionaries(
    {},
    optional={
        name: values | st.just(QUESTION.get(name, 1)) for name in TroubleshootRequest.model_fields
    },
)
wire = (
    (values | almost | st.tuples(almost, values)).map(json.dumps).map(str.encode)
    | almost.map(lambda body: json.dumps(body)[:-2].encode())
    | st.binary(max_size=50).map(lambda raw: b'{"query": "' + raw + MARKER.encode() + b'"}')
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=wire)
@example(body=json.dumps({**QUESTION, "provider": MARKER, "model": MARKER}).encode())
@example(body=json.dumps({"query": [MARKER], "session_id": {MARKER: MARKER}}).encode())
async def test_no_body_breaks_the_service_or_is_echoed(
    client: httpx.AsyncClient, body: bytes
) -> None:
    """Whatever is sent, the answer is a 200 or a 4xx problem without a word of it."""
    response = await post(client, body)
    assert response.status_code == 200 or 400 <= response.status_code < 500
    if response.status_code != 200:
        problem(response)
        assert MARKER not in response.text
        assert not any(MARKER in value for value in response.headers.values())


async def test_a_flood_of_unknown_fields_is_refused(client: httpx.AsyncClient) -> None:
    """Fields by the ten thousand cost a refusal, not minutes of spelling checks."""
    flood = {f"field_{number}": 1 for number in range(20_000)}

    answer = await post(client, json.dumps({**QUESTION, **flood}).encode())

    assert answer.status_code == 422
    assert "more than 50 fields" in answer.text
    assert "field_" not in answer.text


async def test_a_credential_sent_as_a_name_is_not_repeated(client: httpx.AsyncClient) -> None:
    """An unknown field is named only if its name is no secret (S69)."""
    key = "sk-abcdefghijklmnopqrstuvwxyz123456"

    answer = await post(client, json.dumps({**QUESTION, key: 1}).encode())

    assert answer.status_code == 200
    assert key not in answer.text


async def test_an_empty_query_is_called_blank(client: httpx.AsyncClient) -> None:
    """Nothing at all reads like nothing but blanks."""
    answer = await post(client, json.dumps({**QUESTION, "query": ""}).encode())

    assert answer.status_code == 422
    assert "query must not be blank" in answer.text


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
async def test_monitors_may_ask_by_head(client: httpx.AsyncClient, path: str) -> None:
    """HEAD is answered as GET is: load balancers and wget --spider ask so."""
    assert (await client.head(path)).status_code == (await client.get(path)).status_code == 200
