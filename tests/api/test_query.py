"""Asking over HTTP."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.service import (
    QUESTION,
    TROUBLESHOOT,
    Recorder,
    Stuck,
    client_of,
    container_of,
    problem,
    scope_of,
    started,
)
from doubles import Fail, Say, row, scripted
from faultmaven.errors import (
    ContextLengthError,
    ProviderAuthError,
    ProviderRequestError,
    RateLimitedError,
)
from faultmaven.main import create_app
from faultmaven.models.api import TroubleshootResponse


async def ask(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    """Ask the documented question, with further fields."""
    return await client.post(TROUBLESHOOT, json={**QUESTION, **fields})


async def test_the_documented_request_is_answered(tmp_path: Path) -> None:
    """The documented body gives 200, text, provider and attempts (S82)."""
    container = container_of(tmp_path, Say("The disk is full."))
    async with client_of(container) as client:
        response = await ask(client)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = TroubleshootResponse.model_validate_json(response.content)
    assert "The disk is full." in body.response
    assert body.provider == "one"
    assert body.session_id == "test-session"
    assert [attempt.outcome for attempt in body.attempts] == ["ok"]
    assert body.request_id == response.headers["x-request-id"]


@pytest.mark.parametrize("path", [TROUBLESHOOT, "/api/v1/query", "/api/v1/query/"])
async def test_the_aliases_answer_too(tmp_path: Path, path: str) -> None:
    """Three paths, one operation (S82)."""
    async with client_of(container_of(tmp_path)) as client:
        response = await client.post(path, json=QUESTION)
    assert (response.status_code, response.json()["provider"]) == (200, "one")


async def test_the_callers_request_id_is_kept(tmp_path: Path) -> None:
    """A fit id comes back in header and body."""
    async with client_of(container_of(tmp_path)) as client:
        response = await client.post(
            TROUBLESHOOT, json=QUESTION, headers={"X-Request-ID": "trace-1.a:b_c"}
        )
    assert response.headers["x-request-id"] == "trace-1.a:b_c"
    assert response.json()["request_id"] == "trace-1.a:b_c"


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "<script>", "naïve"])
async def test_an_unfit_request_id_is_replaced(tmp_path: Path, given: str) -> None:
    """What could forge a log line or a header never comes back."""
    async with client_of(container_of(tmp_path)) as client:
        headers = {b"X-Request-ID": given.encode()}
        ids = {(await client.get("/health/live", headers=headers)).headers["x-request-id"]}
        ids.add((await client.get("/health/live")).headers["x-request-id"])
    assert len(ids) == 2
    assert all(fresh.startswith("req-") and len(fresh) == 36 for fresh in ids)


@pytest.mark.parametrize(("header", "seconds"), [("2.5", 2.5), ("30", 30.0), ("1e-3", 0.001)])
async def test_the_callers_timeout_reaches_the_agent(
    tmp_path: Path, header: str, seconds: float
) -> None:
    """The header's seconds, the request's id and the moment it came in all go along."""
    recorder = Recorder()
    before = time.monotonic()
    async with client_of(container_of(tmp_path, agent=recorder)) as client:
        response = await client.post(
            TROUBLESHOOT,
            json={**QUESTION, "deadline_ms": 9},
            headers={"X-Request-Timeout": header},
        )
        await ask(client)
    with_header, without = recorder.asked
    assert with_header["timeout"] == seconds
    assert with_header["request"].deadline_ms == 9
    assert with_header["request_id"] == response.headers["x-request-id"]
    assert before <= with_header["received_at"] <= time.monotonic()
    assert without["timeout"] is None


async def test_a_session_is_remembered(tmp_path: Path) -> None:
    """The second question of a session reaches the provider with the first one's turns."""
    provider = scripted(Say("The disk is full."))
    container = container_of(tmp_path, rows={"one": row(provider)})
    async with client_of(container) as client:
        await ask(client, query="Why does the pod restart?")
        await ask(client, query="And how do I mend that?")
        kept = await container.sessions.get("test-session")
    said = "".join(message.text for message in provider.asked[1].messages)
    assert "Why does the pod restart?" in said
    assert "The disk is full." in said
    assert kept is not None
    assert [turn.role for turn in kept.turns] == ["user", "assistant"] * 2


async def test_an_answer_that_is_no_unicode_is_served_all_the_same(tmp_path: Path) -> None:
    """Half a character from a provider must not turn an answer into a 500."""
    async with client_of(container_of(tmp_path, Say("The disk\ud800 is full."))) as client:
        response = await ask(client)
    assert response.status_code == 200
    assert "The disk" in response.json()["response"]


async def test_a_broken_store_costs_nobody_an_answer(tmp_path: Path) -> None:
    """The store dies under the running service: questions are answered, without history."""
    container = container_of(tmp_path)
    async with client_of(container) as client:
        with sqlite3.connect(container.settings.session_database) as database:
            database.execute("DROP TABLE turn")
        database.close()
        response = await ask(client)
        ready = await client.get("/health/ready")
    assert response.status_code == 200
    assert response.json()["warnings"]
    assert ready.status_code == 503


async def test_strict_sessions_refuse_unknown_ones(tmp_path: Path) -> None:
    """With SESSION_STRICT a session that was never created is 404."""
    variables = {"SESSION_STRICT": "true"}
    async with client_of(container_of(tmp_path, variables=variables)) as client:
        response = await ask(client)
    assert response.status_code == 404
    assert problem(response)["error_class"] == "session_not_found"


async def test_every_failed_attempt_is_told(tmp_path: Path) -> None:
    """Nobody answered: 503 with one cause per attempt, a hint, and when to come back (S38)."""
    rows = {
        "one": row(scripted(Fail(ProviderAuthError, fields={"hint": "Check ONE_KEY."}))),
        "two": row(scripted(Fail(RateLimitedError, fields={"retry_after": 12.2})), max_retries=0),
    }
    variables = {"FALLBACK_CHAIN": "two"}
    container = container_of(tmp_path, rows=rows, variables=variables)
    async with client_of(container) as client:
        response = await ask(client)
    assert response.status_code == 503
    told = problem(response)
    assert told["type"] == "urn:faultmaven:problem:all_providers_failed"
    assert told["title"] == "All providers failed"
    assert told["detail"].startswith("All providers failed")
    assert told["instance"] == TROUBLESHOOT
    assert told["hint"] == "Check ONE_KEY."
    causes = {attempt["provider"]: attempt["error_class"] for attempt in told["attempts"]}
    assert causes == {"one": "auth", "two": "rate_limited"}
    assert response.headers["retry-after"] == "13"


@pytest.mark.parametrize("kind", [ProviderRequestError, ContextLengthError])
async def test_what_the_providers_reject_is_the_callers_to_mend(
    tmp_path: Path, kind: type[ProviderRequestError | ContextLengthError]
) -> None:
    """A request that the vendors find wrong is 400, with the attempt that says so."""
    async with client_of(container_of(tmp_path, Fail(kind))) as client:
        response = await ask(client)
    assert response.status_code == 400
    told = problem(response)
    assert told["error_class"] == "request_rejected"
    assert len(told["attempts"]) == 1


async def test_required_confidence_turns_an_unsure_answer_into_503(tmp_path: Path) -> None:
    """The same answer is 200 and flagged without the requirement (S35, S39)."""
    container = container_of(tmp_path, Say(prior=0.5))
    async with client_of(container) as client:
        accepted = await ask(client)
        refused = await ask(client, require_confidence=True)
        enough = await ask(client, require_confidence=True, confidence_threshold=0.0)
    assert accepted.status_code == 200
    assert accepted.json()["confidence"]["below_threshold"] is True
    assert refused.status_code == 503
    assert problem(refused)["error_class"] == "low_confidence"
    assert enough.status_code == 200


async def test_a_caller_who_leaves_ends_the_work(tmp_path: Path) -> None:
    """Hanging up cancels what was asked on the caller's behalf; it is logged as 499."""
    stuck = Stuck()
    container = container_of(tmp_path, agent=stuck)
    app = create_app(container)
    body = json.dumps(QUESTION).encode()
    sent: list[Any] = []
    incoming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await stuck.began.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with started(app), asyncio.timeout(5):
        await app(scope_of(TROUBLESHOOT), receive, send)
    assert stuck.cancelled.is_set()
    assert sent[0]["status"] == 499
    scraped = container.metrics.expose()[0].decode()
    wanted = f'faultmaven_requests_total{{route="{TROUBLESHOOT}",status="499"}} 1.0'
    assert wanted in scraped


async def test_a_caller_who_leaves_within_the_body_is_no_error(tmp_path: Path) -> None:
    """Half a body and then nobody: nothing is asked, nothing is logged as broken."""
    recorder = Recorder()
    app = create_app(container_of(tmp_path, agent=recorder))
    incoming: list[dict[str, Any]] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b'{"que', "more_body": True},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    async with started(app):
        await app(scope_of(TROUBLESHOOT), receive, send)
    assert sent[0]["status"] == 499
    assert recorder.asked == []
