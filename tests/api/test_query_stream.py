"""Asking over HTTP and hearing the answer while it is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.live import live_client, served
from api.service import QUESTION, TROUBLESHOOT, Container, container_of, problem
from doubles import settings_of
from faultmaven.api.accept import prefers_events
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.transport import new_transport
from faultmaven.infrastructure.sessions.sqlite_store import SQLiteSessionStore
from faultmaven.models.api import AttemptBody, ProblemBody, TroubleshootResponse
from upstreams import Upstream

EVENTS = {"Accept": "text/event-stream"}
DIAGNOSIS: dict[str, Any] = {
    "evidence": ["No space left on device"],
    "summary": "The disk is full.",
    "root_cause": "Nobody rotates the log, so that it fills the disk.",
    "status": "completed",
    "findings": [
        {"type": "disk", "message": "It is full.", "severity": "high", "evidence": "No space left"}
    ],
    "next_steps": ["Remove old logs.", "Rotate them."],
    "commands": [{"command": "df -h", "description": "Shows it.", "safety": "read_only"}],
    "recommendations": [],
    "missing_information": [],
}
ASKED = {**QUESTION, "query": "It says: No space left on device"}
_VOLATILE = frozenset(
    {"session_id", "investigation_id", "request_id", "response_time_ms", "attempts"}
    | {"created_at", "completed_at", "tokens_used", "usage"}
)


class Serve(Protocol):
    """Composes the whole service over upstreams."""

    def __call__(self, up: Upstream, backup: Upstream | None = None) -> Container:
        """Have its chain ask ``up`` first, then ``backup``."""
        ...


@pytest.fixture
async def service_over(tmp_path: Path) -> AsyncIterator[Serve]:
    """The service with real providers, transport and store."""
    transport = new_transport()

    def compose(up: Upstream, backup: Upstream | None = None) -> Container:
        second = _variables("FIREWORKS", backup) if backup else {}
        chain = {"CHAT_PROVIDER": "openai", "FALLBACK_CHAIN": "fireworks" if backup else "none"}
        probing = {"PROBE_INTERVAL": "0"}  # upstreams count requests
        settings = settings_of({**_variables("OPENAI", up), **second, **chain, **probing})
        registry = ProviderRegistry(settings, transport=transport)
        return Container(settings, registry, SQLiteSessionStore(tmp_path / "sessions.sqlite3"))

    yield compose
    await transport.aclose()


def _variables(name: str, up: Upstream) -> dict[str, str]:
    values = {"API_KEY": up.key, "API_BASE": up.base_url, "MODEL": up.model}
    return {f"{name}_{suffix}": value for suffix, value in values.items()}


@asynccontextmanager
async def asking(container: Container) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the service behind a real socket."""
    async with live_client(container) as client:
        yield client


def events_of(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Read a stream's events, having checked its head."""
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = response.text.split("\n\n")
    assert blocks.pop() == ""
    return [event_of(block) for block in blocks if not block.startswith(":")]


def event_of(block: str) -> tuple[str, dict[str, Any]]:
    """Read one event."""
    name, data = block.split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def said(events: list[tuple[str, dict[str, Any]]]) -> str:
    """Join the pieces of the answer."""
    return "".join(body["text"] for name, body in events if name == "delta")


async def test_the_pieces_add_up_to_the_answer(service_over: Serve) -> None:
    """The words come in pieces, the attempt is told, and the last event is the plain body."""
    async with (
        Upstream("openai", answer=DIAGNOSIS) as up,
        asking(service_over(up)) as client,
    ):
        events = events_of(await client.post(TROUBLESHOOT, json={**ASKED, "stream": True}))
        plain = (await client.post(TROUBLESHOOT, json={**ASKED, "session_id": "b"})).json()
    names = [name for name, _ in events]
    assert names.count("delta") > 1
    assert names[-2:] == ["attempt", "result"] or names[-3:] == ["attempt", "delta", "result"]
    result = events[-1][1]
    TroubleshootResponse.model_validate(result)
    assert said(events) == result["response"]
    assert "`No space left on device` (query, line 1)" in said(events)
    told = [AttemptBody.model_validate(body) for name, body in events if name == "attempt"]
    assert [attempt.outcome for attempt in told] == ["ok"]
    differing = {name for name in plain if plain[name] != result[name]}
    assert differing <= _VOLATILE


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; q=0.4", True),
        ("application/json, text/event-stream", True),
        ("application/json;q=0.5, text/event-stream;q=0.9, */*;q=0.1", True),
        ("text/event-stream;q=0.3, application/json", False),
        ("text/event-stream;q=0.3, application/json;q=0.1, */*", True),
        ("text/event-stream;q=0.5, */*", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=x", False),
        ("text/*", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_the_header_says_what_is_preferred(accept: str, *, wanted: bool) -> None:
    """Events only for whoever names them, and not less than a document."""
    assert prefers_events(accept) is wanted


@given(st.text(alphabet="text/evn-srampicojq=;,.01* ", max_size=60))
def test_no_header_is_an_error(accept: str) -> None:
    """Whatever a caller accepts is read."""
    assert prefers_events(accept) in {True, False}


@pytest.mark.parametrize(
    ("fields", "headers", "kind"),
    [
        ({}, {}, "application/json"),
        ({}, EVENTS, "text/event-stream; charset=utf-8"),
        ({"stream": None}, EVENTS, "text/event-stream; charset=utf-8"),
        ({"stream": False}, EVENTS, "application/json"),
        ({"stream": True}, {}, "text/event-stream; charset=utf-8"),
        ({"stream": True}, {"Accept": "application/json"}, "text/event-stream; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("path", [TROUBLESHOOT, "/api/v1/query"])
async def test_the_body_decides_before_the_header(
    tmp_path: Path, path: str, fields: dict[str, Any], headers: dict[str, str], kind: str
) -> None:
    """What ``stream`` says counts; where it says nothing, the header does."""
    async with live_client(container_of(tmp_path)) as client:
        response = await client.post(path, json={**QUESTION, **fields}, headers=headers)
    assert response.headers["content-type"] == kind


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"query": "  "}, 422),
        ({"stream": "yes"}, 422),
        ({"provider": "nobody"}, 422),
        ({"model": "unheard-of"}, 422),
        ({"session_id": "unknown"}, 404),
    ],
)
async def test_what_is_refused_has_its_status(
    tmp_path: Path, fields: dict[str, Any], status: int
) -> None:
    """A question that nobody is asked gets a real status, not a stream with an error in it."""
    container = container_of(tmp_path, variables={"SESSION_STRICT": "true"})
    async with live_client(container) as client:
        await container.sessions.append("test-session", ())
        response = await client.post(TROUBLESHOOT, json={**QUESTION, **fields}, headers=EVENTS)
    assert response.status_code == status
    problem(response)


async def test_the_chain_goes_on_until_the_first_word(service_over: Serve) -> None:
    """Each failed attempt is told as it ends; the words are those of one provider alone."""
    async with (
        Upstream("openai") as up,
        Upstream("fireworks", answer="It is the backup.") as backup,
        asking(service_over(up, backup)) as client,
    ):
        up.always("status_503")
        events = events_of(await client.post(TROUBLESHOOT, json=ASKED, headers=EVENTS))
    attempts = [body for name, body in events if name == "attempt"]
    assert {body["outcome"] for body in attempts[:-1]} == {"overloaded"}
    assert attempts[-1]["provider"] == "fireworks"
    assert events[0][0] == "attempt"
    assert said(events) == events[-1][1]["response"] == "It is the backup."
    assert len(events[-1][1]["attempts"]) == len(attempts)


async def test_nobody_answers(service_over: Serve) -> None:
    """The problem comes as an event, the very body that is sent without a stream."""
    async with (
        Upstream("openai") as up,
        asking(service_over(up)) as client,
    ):
        up.always("bad_key")
        events = events_of(await client.post(TROUBLESHOOT, json=ASKED, headers=EVENTS))
        plain = await client.post(TROUBLESHOOT, json=ASKED)
    assert [name for name, _ in events] == ["attempt", "error"]
    told = ProblemBody.model_validate(events[-1][1])
    expected = problem(plain)
    assert told.status == plain.status_code == 503
    assert told.attempts[0].error_class == "auth"
    same = ("type", "title", "status", "detail", "instance", "error_class", "hint")
    assert [events[-1][1][name] for name in same] == [expected[name] for name in same]
    assert events[-1][1].keys() == expected.keys()


@pytest.mark.parametrize(
    "fault",
    ["stream_cut_after_content", "stream_reset_after_content", "stream_error_after_content"],
)
async def test_a_broken_answer_never_looks_whole(service_over: Serve, fault: str) -> None:
    """After the first word a failure is an error event: no result, nobody else's words."""
    async with (
        Upstream("openai", answer="The disk is full, because nobody rotates the log.") as up,
        Upstream("fireworks", answer="It is the backup.") as backup,
        asking(service_over(up, backup)) as client,
    ):
        up.always(fault)
        events = events_of(await client.post(TROUBLESHOOT, json=ASKED, headers=EVENTS))
        assert not backup.requests
        session = await client.post(TROUBLESHOOT, json={**ASKED, "provider": "fireworks"})
    names = [name for name, _ in events]
    assert names[-1] == "error"
    assert "result" not in names
    assert events[-1][1]["error_class"] == "answer_cut"
    assert events[-1][1]["status"] == 502
    assert said(events)
    assert said(events) in "The disk is full, because nobody rotates the log."
    assert session.status_code == 200
    # Half an answer is nothing that a session should remember.
    assert "disk is full" not in backup.last.body.decode()


@pytest.mark.parametrize("wish", [{"confidence_threshold": 0.99}, {"require_confidence": True}])
async def test_whoever_asks_for_confidence_hears_a_judged_answer(
    service_over: Serve, wish: dict[str, Any]
) -> None:
    """The words wait until the chain has decided; an answer that is refused is never heard."""
    async with (
        Upstream("openai", answer="Perhaps the disk.") as up,
        Upstream("fireworks", answer=DIAGNOSIS) as backup,
        asking(service_over(up, backup)) as client,
    ):
        body = {**ASKED, **wish, "stream": True}
        events = events_of(await client.post(TROUBLESHOOT, json=body))
    heard = said(events)
    assert not ("Perhaps" in heard and "disk is full" in heard)
    if events[-1][0] == "error":
        assert events[-1][1]["error_class"] == "low_confidence"
        assert heard == ""
    else:
        assert heard == events[-1][1]["response"]


async def test_the_head_leaves_before_any_word(service_over: Serve) -> None:
    """A caller knows at once that the question is accepted, whatever the provider does."""
    async with (
        Upstream("openai") as up,
        asking(service_over(up)) as client,
    ):
        up.always("stream_stall_before_content")
        body = {**ASKED, "stream": True}
        async with client.stream("POST", TROUBLESHOOT, json=body) as response:
            assert response.status_code == 200
            assert response.headers["x-request-id"]


@pytest.mark.parametrize("fault", ["stream_stall_before_content", "stream_stall_after_content"])
async def test_a_caller_who_leaves_lets_the_provider_go(
    service_over: Serve, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The upstream's connection closes, nobody is blamed, and no error is logged."""
    async with Upstream("openai") as up:
        up.always(fault)
        container = service_over(up)
        async with served(container) as (host, port), asyncio.timeout(20):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(_request(json.dumps({**ASKED, "stream": True}).encode()))
            wanted = b"event: delta" if "after" in fault else b"event-stream"
            await reader.readuntil(wanted)
            await up.until(lambda up: up.in_flight)
            writer.transport.abort()
            await up.until(lambda up: up.disconnects)
            async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
                health = (await client.get("/health/dependencies")).json()
    assert health["providers"]["openai"]["state"] == "unknown"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def _request(body: bytes) -> bytes:
    head = (
        f"POST {TROUBLESHOOT} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def test_the_callers_deadline_ends_a_stream(service_over: Serve) -> None:
    """A provider that falls silent costs no more time than the caller gives."""
    async with (
        Upstream("openai") as up,
        asking(service_over(up)) as client,
    ):
        up.always("stream_stall_after_content")
        body = {**ASKED, "stream": True, "deadline_ms": 600}
        events = events_of(await client.post(TROUBLESHOOT, json=body))
    assert events[-1][0] == "error"
    assert events[-1][1]["attempts"][-1]["error_class"] == "timeout"
