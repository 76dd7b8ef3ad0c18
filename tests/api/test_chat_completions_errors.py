"""Errors below ``/v1/``: OpenAI's shape, the true status, and no useless retries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from api.chatting import CHAT, asked, error_of
from api.playing import Playing
from api.service import QUESTION, TROUBLESHOOT, client_of, container_of, problem, unstarted_client
from faultmaven.errors import (
    AllProvidersFailedError,
    ChainError,
    ConfigurationError,
    ErrorClass,
    FaultMavenError,
    LowConfidenceError,
    RequestRejectedError,
)
from faultmaven.main import create_app
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import LLMResponse

KEY = "sk-ant-api03-abcdefghijklmnop1234"


def tried(*classes: ErrorClass) -> list[Attempt]:
    """Write attempts that failed in these ways."""
    return [Attempt("one", "model-1", error_class=found) for found in classes]


def failed(*classes: ErrorClass, wait: float | None = None) -> AllProvidersFailedError:
    """Write the end of a chain whose attempts failed in these ways."""
    return AllProvidersFailedError(
        "All providers failed: one", attempts=tried(*classes), retry_after=wait, hint="Wait."
    )


FAILURES: tuple[tuple[FaultMavenError, int, str, str, str | None], ...] = (
    (failed(ErrorClass.OVERLOADED), 503, "server_error", "all_providers_failed", None),
    (failed(ErrorClass.TIMEOUT), 503, "server_error", "all_providers_failed", None),
    (failed(), 503, "server_error", "all_providers_failed", None),
    (failed(ErrorClass.AUTH), 503, "server_error", "all_providers_failed", "false"),
    (
        failed(ErrorClass.AUTH, ErrorClass.QUOTA, ErrorClass.MODEL_NOT_FOUND),
        503,
        "server_error",
        "all_providers_failed",
        "false",
    ),
    (
        failed(ErrorClass.AUTH, ErrorClass.CONNECTION),
        503,
        "server_error",
        "all_providers_failed",
        None,
    ),
    (failed(ErrorClass.RATE_LIMITED), 429, "rate_limit_error", "rate_limit_exceeded", None),
    (
        failed(ErrorClass.RATE_LIMITED, ErrorClass.OVERLOADED),
        503,
        "server_error",
        "all_providers_failed",
        None,
    ),
    (failed(ErrorClass.CONTENT_FILTER), 400, "invalid_request_error", "content_filter", None),
    (failed(ErrorClass.MODEL_NOT_FOUND), 404, "invalid_request_error", "model_not_found", None),
    (failed(ErrorClass.QUOTA), 429, "insufficient_quota", "insufficient_quota", "false"),
    (
        LowConfidenceError("0.4 is below 0.8", attempts=tried(ErrorClass.QUOTA)),
        503,
        "server_error",
        "low_confidence",
        "false",
    ),
    (
        LowConfidenceError("0.4 is below 0.8", attempts=tried(ErrorClass.OVERLOADED)),
        503,
        "server_error",
        "low_confidence",
        "false",
    ),
    (
        RequestRejectedError("rejected", attempts=tried(ErrorClass.INVALID_REQUEST)),
        400,
        "invalid_request_error",
        "request_rejected",
        None,
    ),
    (
        RequestRejectedError("rejected", attempts=tried(ErrorClass.CONTEXT_LENGTH)),
        400,
        "invalid_request_error",
        "context_length_exceeded",
        None,
    ),
    (ConfigurationError("no"), 500, "server_error", "configuration", None),
)


@pytest.mark.parametrize(
    ("failure", "status", "kind", "advice"),
    [(case[0], case[1], case[2:4], case[4]) for case in FAILURES],
    ids=[f"{number}-{case[3]}" for number, case in enumerate(FAILURES)],
)
async def test_a_failure_has_its_status_and_code(
    tmp_path: Path,
    failure: FaultMavenError,
    status: int,
    kind: tuple[str, str],
    advice: str | None,
) -> None:
    """429 only where waiting is all it takes; where a retry is useless, clients are told so."""
    async with client_of(container_of(tmp_path, llm=Playing(failure=failure))) as client:
        response = await client.post(CHAT, json=asked())
    error = error_of(response, status)
    assert (error["type"], error["code"]) == kind
    assert error["param"] is None
    assert response.headers.get("x-should-retry") == advice
    attempts: Sequence[Any] = failure.attempts if isinstance(failure, ChainError) else ()
    told = [attempt["error_class"] for attempt in error["faultmaven"]["attempts"]]
    assert told == [attempt.error_class for attempt in attempts]
    assert error["faultmaven"]["hint"] == failure.hint


async def test_it_says_when_to_come_back(tmp_path: Path) -> None:
    """The chain's shortest wait, in whole seconds."""
    failure = failed(ErrorClass.RATE_LIMITED, wait=6.2)
    async with client_of(container_of(tmp_path, llm=Playing(failure=failure))) as client:
        response = await client.post(CHAT, json=asked())
    assert error_of(response, 429)
    assert response.headers["retry-after"] == "7"


async def test_an_unknown_model_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """404 with OpenAI's code; nobody is asked, and the name is not repeated."""
    llm = Playing()
    async with client_of(container_of(tmp_path, llm=llm)) as client:
        response = await client.post(CHAT, json=asked(model="marker-4o"))
    error = error_of(response, 404)
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "auto, faultmaven/troubleshoot, one, one/model-1" in error["message"]
    assert "marker" not in response.text
    assert not llm.options


async def test_a_credential_in_an_error_is_masked(tmp_path: Path) -> None:
    """In the message and in the hint."""
    failure = ConfigurationError(f"the key {KEY} is wrong", hint=f"replace {KEY}")
    async with client_of(container_of(tmp_path, llm=Playing(failure=failure))) as client:
        response = await client.post(CHAT, json=asked())
    assert error_of(response, 500)["message"] == "the key [anthropic_key removed] is wrong"
    assert KEY not in response.text


async def test_an_unexpected_error_tells_nothing_of_itself(tmp_path: Path) -> None:
    """A fault of ours is told as such, with the request's id and nothing more."""

    class Broken(Playing):
        """Fails in a way that nobody foresaw."""

        async def generate(self, prompt: str, **_kwargs: Any) -> LLMResponse:
            """Fail."""
            raise ZeroDivisionError(f"secret detail of {prompt}")

    async with client_of(container_of(tmp_path, llm=Broken())) as client:
        response = await client.post(CHAT, json=asked())
    error = error_of(response, 500)
    assert (error["type"], error["code"]) == ("server_error", "internal")
    assert "secret" not in response.text


async def test_the_connection_ends_with_an_unexpected_error(tmp_path: Path) -> None:
    """A client does not send its next request into a connection that is being closed."""

    class Broken(Playing):
        async def generate(self, prompt: str, **_options: Any) -> LLMResponse:
            raise RuntimeError(prompt)

    async with client_of(container_of(tmp_path, llm=Broken())) as client:
        response = await client.post(CHAT, json=asked())
    assert error_of(response, 500)
    assert response.headers["connection"] == "close"


async def test_the_shape_goes_by_whole_segments(tmp_path: Path) -> None:
    """What only begins like Anthropic's path is OpenAI's, and so is the root of both."""
    async with client_of(container_of(tmp_path)) as client:
        for path in ("/v1", "/v1/messagesX", "/v1/nothing"):
            assert error_of(await client.get(path), 404)["code"] == "not_found"
        assert problem(await client.get("/v1X"))["status"] == 404
        theirs = await client.get("/v1/messages/nothing")
    assert theirs.json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("field", "fragment"),
    [
        ("further", '"further": {"a": [%s]}'),
        ("metadata", '"metadata": {"a": %s}'),
        ("prediction", '"prediction": {"a": %s}'),
        ("web_search_options", '"web_search_options": {"a": %s}'),
        (
            "tools.0.function.parameters",
            '"tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": %s}}}]',
        ),
        (
            "response_format.json_schema.schema",
            '"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":%s}}}',
        ),
    ],
)
async def test_a_number_that_json_lacks_is_refused(
    tmp_path: Path, field: str, fragment: str, number: str
) -> None:
    """Wherever anything may stand, it is a 400 that names the field, and nobody is asked."""
    llm = Playing()
    body = '{"model": "auto", "messages": [{"role": "user", "content": "hi"}], %s}'
    async with client_of(container_of(tmp_path, llm=llm)) as client:
        response = await client.post(
            CHAT,
            content=body % (fragment % number),
            headers={"content-type": "application/json"},
        )
    assert error_of(response, 400)["param"] == field
    assert not llm.options


async def test_the_framework_speaks_so_too(tmp_path: Path) -> None:
    """Unknown paths, wrong methods, bad JSON, wrong types and large bodies have the same shape."""
    container = container_of(tmp_path, llm=Playing(), variables={"MAX_BODY_BYTES": "2000"})
    async with client_of(container) as client:
        json = {"content-type": "application/json"}
        nowhere = error_of(await client.get("/v1/marker"), 404)
        wrong = await client.get(CHAT)
        garbled = error_of(await client.post(CHAT, content=b'{"a', headers=json), 400)
        empty = error_of(await client.post(CHAT, content=b"", headers=json), 400)
        typed = error_of(await client.post(CHAT, content=b"{}"), 415)
        large = error_of(await client.post(CHAT, json=asked(user="x" * 3000)), 413)
    assert error_of(wrong, 405)["code"] == "method_not_allowed"
    assert wrong.headers["allow"] == "POST"
    assert "marker" not in nowhere["message"]
    assert "line 1, column" in garbled["message"]
    assert "model and messages" in empty["message"]
    codes = [error["code"] for error in (nowhere, garbled, typed, large)]
    assert codes == ["not_found", "malformed_body", "unsupported_media_type", "body_too_large"]


async def test_everywhere_else_errors_are_problems(tmp_path: Path) -> None:
    """The shape goes by the path."""
    llm = Playing(failure=failed(ErrorClass.OVERLOADED))
    async with client_of(container_of(tmp_path, llm=llm)) as client:
        assert problem(await client.get("/v2/nothing"))["status"] == 404
        assert problem(await client.post(TROUBLESHOOT, json=QUESTION))["status"] == 503


async def test_before_the_start_it_says_so(tmp_path: Path) -> None:
    """A service that has not started says that, in the caller's protocol."""
    async with unstarted_client(create_app(container_of(tmp_path))) as client:
        assert error_of(await client.post(CHAT, json=asked()), 503)["code"] == "not_initialized"
        assert error_of(await client.get("/v1/models"), 503)["code"] == "not_initialized"
