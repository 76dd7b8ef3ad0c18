"""Errors below /v1/messages, in the shape that Anthropic's clients understand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.playing import ASKED, MESSAGES, Playing
from api.service import client_of, container_of, unstarted_client
from faultmaven.api.anthropic.errors import as_anthropic_error
from faultmaven.api.errors import Failure, problem_of
from faultmaven.errors import (
    AllProvidersFailedError,
    ErrorClass,
    FaultMavenError,
    LowConfidenceError,
    NotInitializedError,
    RequestRejectedError,
)
from faultmaven.main import create_app
from faultmaven.models.attempt import Attempt

SECRET = "sk-ant-secret-0123456789"
"""Is sent where it must not come back."""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a started service with a small limit on bodies."""
    variables = {"MAX_BODY_BYTES": "2000"}
    async with client_of(container_of(tmp_path, variables=variables, llm=Playing())) as client:
        yield client


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Read an error, having checked what every one promises."""
    body = response.json()
    assert response.headers["content-type"] == "application/json"
    assert body["type"] == "error"
    assert body["request_id"] == response.headers["request-id"] != ""
    assert body["faultmaven"].keys() == {"hint", "attempts"}
    assert SECRET not in response.text
    error: dict[str, Any] = body["error"]
    assert error["message"]
    return error


async def sent(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    """Send the smallest request with further fields; ``None`` leaves one out."""
    body = {name: value for name, value in {**ASKED, **fields}.items() if value is not None}
    return await client.post(MESSAGES, json=body)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_tokens": None}, "max_tokens is missing"),
        ({"messages": None}, "messages is missing"),
        (
            {"messages": [{"role": "user", "content": [{"type": "document", "x": SECRET}]}]},
            "messages.0.content.0.type is document",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": SECRET}]}]},
            "messages.0.content.0.type is not a type of block",
        ),
        ({"tools": [{"type": SECRET, "name": "a"}]}, "tools.0.type is a tool that Anthropic"),
        ({"model": f"{SECRET} "}, "model is not a model's name"),
        ({"deadline_ms": 0}, "deadline_ms must be at least 1"),
    ],
)
async def test_wrong_input_is_400(client: httpx.AsyncClient, fields: Any, words: str) -> None:
    """With the field's name, what mends it, and nothing of what was sent."""
    response = await sent(client, **fields)
    assert response.status_code == 400
    error = error_of(response)
    assert error["type"] == "invalid_request_error"
    assert words in error["message"]


async def test_an_unknown_model_is_404(client: httpx.AsyncClient) -> None:
    """Claude's clients name Claude's models: the message says what exists and what helps."""
    response = await sent(client, model="claude-sonnet-5")
    assert response.status_code == 404
    error = error_of(response)
    assert error["type"] == "not_found_error"
    assert all(words in error["message"] for words in ("auto", "one/model-1", "MODEL_MAP"))


async def test_a_mapped_model_is_served(tmp_path: Path) -> None:
    """MODEL_MAP lets a name of Claude's stand for what there is."""
    variables = {"MODEL_MAP": json.dumps({"claude-sonnet-5": {"one": "model-1"}})}
    async with client_of(container_of(tmp_path, variables=variables)) as client:
        response = await sent(client, model="claude-sonnet-5")
    assert (response.status_code, response.json()["model"]) == (200, "model-1")


@pytest.mark.parametrize(
    ("request_", "status", "kind"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "invalid"),
        ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "invalid"),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "invalid"),
        ({"json": {"system": "x" * 3000}}, 413, "request_too_large"),
        ({"method": "GET"}, 405, "invalid"),
        ({"url": f"{MESSAGES}/batches"}, 404, "not_found_error"),
        ({"json": ASKED, "headers": {"X-Request-Timeout": "soon"}}, 400, "invalid"),
    ],
)
async def test_what_never_reaches_the_chain(
    client: httpx.AsyncClient, request_: Any, status: int, kind: str
) -> None:
    """Every refusal has the shape, the framework's own too."""
    response = await client.request(**{"method": "POST", "url": MESSAGES, **request_})
    assert response.status_code == status
    assert error_of(response)["type"].startswith(kind)


async def test_a_service_that_has_not_started(tmp_path: Path) -> None:
    """May be asked again: it will start."""
    app = create_app(container_of(tmp_path))
    async with unstarted_client(app) as client:
        response = await sent(client)
    assert response.status_code == 503
    assert error_of(response)["type"] == "api_error"
    assert "x-should-retry" not in response.headers


def told(error: FaultMavenError) -> tuple[int, str, str | None]:
    """Tell status, type and advice on asking again."""
    problem = problem_of(error, request_id="req-1", instance=None)
    response = as_anthropic_error(Failure(problem, error=error))
    kind = json.loads(bytes(response.body))["error"]["type"]
    return response.status_code, kind, response.headers.get("x-should-retry")


def chain_failed(*causes: ErrorClass) -> AllProvidersFailedError:
    """Fail with these causes."""
    attempts = [Attempt("one", "model-1", error_class=cause) for cause in causes]
    return AllProvidersFailedError("All providers failed", attempts=attempts)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        (["rate_limited", "rate_limited"], (429, "rate_limit_error", None)),
        (["rate_limited", "overloaded"], (529, "overloaded_error", None)),
        (["overloaded"], (529, "overloaded_error", None)),
        (["timeout", "timeout"], (504, "timeout_error", None)),
        (["timeout", "connection"], (503, "api_error", None)),
        (["rate_limited", "auth"], (503, "api_error", None)),
        (["auth", "quota"], (503, "api_error", "false")),
        (["content_filter"], (400, "invalid_request_error", "false")),
        (["model_not_found"], (404, "not_found_error", "false")),
        (["quota", "quota"], (429, "rate_limit_error", "false")),
        ([], (503, "api_error", None)),
    ],
)
def test_a_failed_chain(causes: list[str], expected: tuple[int, str, str | None]) -> None:
    """One common cause is told by its own status; what only mending helps is not asked again."""
    assert told(chain_failed(*map(ErrorClass, causes))) == expected


def test_an_answer_that_is_not_sure_enough() -> None:
    """Asking again costs money and changes little."""
    assert told(LowConfidenceError("unsure")) == (503, "api_error", "false")
    assert told(NotInitializedError("starting")) == (503, "api_error", None)


def test_a_conversation_that_is_too_long() -> None:
    """In Anthropic's words, which agents look for to shorten it."""
    attempt = Attempt("one", "model-1", error_class=ErrorClass.CONTEXT_LENGTH)
    error = RequestRejectedError("The request was rejected: one", attempts=[attempt])
    problem = problem_of(error, request_id="req-1", instance=None)
    response = as_anthropic_error(Failure(problem, error=error))
    body = json.loads(bytes(response.body))
    assert response.status_code == 400
    assert body["error"]["message"].startswith("prompt is too long")
    assert body["faultmaven"]["attempts"][0]["error_class"] == "context_length"


async def test_when_to_come_back(tmp_path: Path) -> None:
    """The provider's own wait goes to the caller."""
    attempts = [Attempt("one", "model-1", error_class=ErrorClass.RATE_LIMITED)]
    failure = AllProvidersFailedError("All failed", attempts=attempts, retry_after=6.2)
    async with client_of(container_of(tmp_path, llm=Playing(failure=failure))) as client:
        response = await sent(client)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
