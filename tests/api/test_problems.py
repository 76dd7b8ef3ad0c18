"""Every error meets HTTP as the same kind of body."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from api.service import (
    QUESTION,
    TROUBLESHOOT,
    client_of,
    container_of,
    problem,
    unstarted_client,
)
from faultmaven.errors import (
    AllProvidersFailedError,
    ConfigurationError,
    FaultMavenError,
    LocalModelError,
    NotInitializedError,
    ProviderAuthError,
    QuotaExceededError,
    SessionNotFoundError,
)
from faultmaven.main import create_app
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse

KEY = "sk-ant-api03-abcdefghijklmnop1234"


class Raising:
    """An agent that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def troubleshoot(
        self, request: TroubleshootRequest, **_circumstances: Any
    ) -> TroubleshootResponse:
        """Fail."""
        assert request.query
        raise self.error


async def fail_with(folder: Path, error: Exception) -> httpx.Response:
    """Ask a service whose agent raises ``error``."""
    async with client_of(container_of(folder, agent=Raising(error))) as client:
        return await client.post(TROUBLESHOOT, json=QUESTION)


ERRORS: tuple[tuple[FaultMavenError, int, str], ...] = (
    (ConfigurationError("no"), 500, "configuration"),
    (NotInitializedError("no"), 503, "not_initialized"),
    (LocalModelError("no"), 503, "local_model"),
    (SessionNotFoundError("no"), 404, "session_not_found"),
    (ProviderAuthError("no"), 503, "auth"),
    (QuotaExceededError("no"), 503, "quota"),
    (AllProvidersFailedError("no"), 503, "all_providers_failed"),
)


@pytest.mark.parametrize(("error", "status", "error_class"), ERRORS, ids=[e[2] for e in ERRORS])
async def test_every_error_of_ours_has_its_status(
    tmp_path: Path, error: FaultMavenError, status: int, error_class: str
) -> None:
    """Status, class, detail and hint come from the error itself (S105, S106, S107)."""
    error.hint = "Do something."
    response = await fail_with(tmp_path, error)
    assert response.status_code == status
    told = problem(response)
    assert (told["error_class"], told["detail"], told["hint"]) == (
        error_class,
        "no",
        "Do something.",
    )


@pytest.mark.parametrize(("wait", "header"), [(0.2, "1"), (1.0, "1"), (29.01, "30"), (None, None)])
async def test_retry_after_is_whole_seconds_rounded_up(
    tmp_path: Path, wait: float | None, header: str | None
) -> None:
    """Whoever comes back when told does not come too early (S107)."""
    response = await fail_with(tmp_path, AllProvidersFailedError("no", retry_after=wait))
    assert response.headers.get("retry-after") == header


async def test_a_credential_in_an_error_is_masked(tmp_path: Path) -> None:
    """The last line of defence: a message that should hold no key holds none (S69)."""
    error = ConfigurationError(f"the key {KEY} is wrong", hint=f"replace {KEY}")
    response = await fail_with(tmp_path, error)
    assert KEY not in response.text
    assert problem(response)["detail"] == "the key [anthropic_key removed] is wrong"


async def test_an_unexpected_error_tells_nothing_of_itself(tmp_path: Path) -> None:
    """The caller gets a 500 problem with the request's id, and not a word of the error."""
    response = await fail_with(tmp_path, ZeroDivisionError("secret detail"))
    assert response.status_code == 500
    told = problem(response)
    assert told["error_class"] == "internal"
    assert "secret" not in response.text
    assert "ZeroDivision" not in response.text


async def test_the_log_tells_the_operators_matter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A 5xx is logged with its detail, a caller's mistake with its class alone."""
    with caplog.at_level(logging.INFO, logger="faultmaven"):
        await fail_with(tmp_path, ConfigurationError("FAULTMAVEN_DATA_DIR: disk full"))
        await fail_with(tmp_path, SessionNotFoundError("session-of-somebody"))
    messages = [r.getMessage() for r in caplog.records if r.getMessage().startswith("POST")]
    assert len(messages) == 2
    assert messages[0].endswith(": configuration: FAULTMAVEN_DATA_DIR: disk full")
    assert messages[1].endswith(": session_not_found")


async def test_unknown_paths_and_methods_are_problems(tmp_path: Path) -> None:
    """404 and 405 name the way out; the path itself is not repeated."""
    async with client_of(container_of(tmp_path)) as client:
        nowhere = await client.get("/api/v2/marker")
        wrong = await client.get(TROUBLESHOOT)
    assert nowhere.status_code == 404
    assert problem(nowhere)["error_class"] == "not_found"
    assert "marker" not in nowhere.text
    assert wrong.status_code == 405
    assert problem(wrong)["instance"] == TROUBLESHOOT
    assert wrong.headers["allow"] == "POST"


async def test_before_the_start_it_says_so(tmp_path: Path) -> None:
    """Not started: 503 with the documented words and four fixes; alive all the same (S76, S86)."""
    async with unstarted_client(create_app(container_of(tmp_path))) as client:
        for path in ("/health", "/health/ready", "/health/dependencies", "/metrics"):
            response = await client.get(path)
            assert response.status_code == 503
            told = problem(response)
            assert "Service not available" in told["detail"]
            assert "Container not initialized" in told["detail"]
            assert all(f"({n})" in told["hint"] for n in (1, 2, 3, 4))
        asked = await client.post(TROUBLESHOOT, json=QUESTION)
        assert asked.status_code == 503
        assert (await client.get("/health/live")).status_code == 200


async def test_a_wrong_parameter_of_any_route_is_a_problem(tmp_path: Path) -> None:
    """What the framework itself finds wrong is told in our words, without the value."""
    router = APIRouter()

    @router.get("/numbers")
    async def numbers(count: int) -> dict[str, Any]:
        return {"count": count}

    app = create_app(container_of(tmp_path))
    app.include_router(router)
    async with unstarted_client(app) as client:
        response = await client.get("/numbers", params={"count": "marker"})
    assert response.status_code == 422
    assert problem(response)["errors"][0]["field"] == "query.count"
    assert "marker" not in response.text
