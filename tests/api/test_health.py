"""The health endpoints, over real parts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.service import QUESTION, TROUBLESHOOT, Container, Stuck, client_of, container_of, sample
from doubles import Fail, Say, row, scripted, settings_of
from faultmaven.errors import (
    ModelNotFoundError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderError,
)
from faultmaven.infrastructure.llm.probing import Prober
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.transport import Transport, new_transport
from faultmaven.infrastructure.sessions.sqlite_store import SQLiteSessionStore
from faultmaven.models.status import LocalModelState, LocalModelStatus
from faultmaven.services.health import HealthService
from upstreams import Upstream

DEAD = Fail(ProviderConnectionError, prefers_next=True)


def two_providers(*first: Say | Fail) -> dict[str, Any]:
    """Rows of a chain of two, the second of which answers."""
    return {
        "one": row(scripted(*first), max_retries=0),
        "two": row(scripted(Say()), max_retries=0),
        "keyless": row(scripted(Say()), api_key_var="NO_SUCH_KEY"),
    }


def chain_of_two(folder: Path, *first: Say | Fail) -> Container:
    """A service with a chain of two and a third provider without its key."""
    variables = {"FALLBACK_CHAIN": "two"}
    return container_of(folder, rows=two_providers(*first), variables=variables)


async def ask(client: httpx.AsyncClient, times: int = 1) -> None:
    """Ask a question some times."""
    for _ in range(times):
        await client.post(TROUBLESHOOT, json=QUESTION)


async def dependencies(client: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    """Ask for status and body of the documented endpoint."""
    response = await client.get("/health/dependencies")
    return response.status_code, response.json()


async def test_the_documented_json_is_there(tmp_path: Path) -> None:
    """Three documented components, equal to what the registry says (S78, S79)."""
    container = chain_of_two(tmp_path, Say())
    async with client_of(container) as client:
        status, body = await dependencies(client)
    assert status == 200
    assert body["status"] == "healthy"
    assert body["components"] == {
        "llm_provider": True,
        "provider_count": len(container.registry.get_available_providers()),
        "fallback_chain_length": len(container.registry.get_fallback_chain()),
    }
    assert body["components"]["provider_count"] == 2
    assert body["fallback_chain"] == ["one", "two"]
    assert list(body["providers"]) == ["one", "two", "keyless"]
    assert body["local_model"]["state"] == "off"


async def test_four_keys_are_counted_as_four(tmp_path: Path) -> None:
    """Four available providers in the chain are four and four (S79)."""
    names = ("one", "two", "three", "four")
    rows = {name: row(scripted(Say())) for name in names}
    variables = {"FALLBACK_CHAIN": "two,three,four"}
    async with client_of(container_of(tmp_path, rows=rows, variables=variables)) as client:
        _, body = await dependencies(client)
    assert body["components"] == {
        "llm_provider": True,
        "provider_count": 4,
        "fallback_chain_length": 4,
    }


async def test_a_provider_says_what_it_lacks(tmp_path: Path) -> None:
    """Configured or not, each provider of the schema is there with model and default (S105)."""
    async with client_of(chain_of_two(tmp_path, Say())) as client:
        _, body = await dependencies(client)
    keyless = body["providers"]["keyless"]
    assert (keyless["available"], keyless["state"]) == (False, "not_configured")
    assert keyless["in_fallback_chain"] is False
    assert keyless["missing"]
    assert keyless["api_key_var"] == "NO_SUCH_KEY"
    one = body["providers"]["one"]
    assert (one["available"], one["state"], one["in_fallback_chain"]) == (True, "unknown", True)
    assert (one["model"], one["default_model"]) == ("model-1", "model-1")
    assert one["confidence_score"] == 0.9


async def test_a_primary_that_fails_three_times_degrades_the_service(tmp_path: Path) -> None:
    """Three failed calls and it is degraded, still 200; one answer and it recovers (S80)."""
    container = chain_of_two(tmp_path, DEAD, DEAD, DEAD, Say())
    async with client_of(container) as client:
        await ask(client, 3)
        status, body = await dependencies(client)
        one = body["providers"]["one"]
        assert (status, body["status"], one["state"]) == (200, "degraded", "down")
        assert one["misconfigured"] is False
        assert one["health"]["last_error_class"] == "connection"
        assert one["health"]["consecutive_failures"] == 3
        assert body["providers"]["two"]["state"] == "healthy"
        await ask(client)
        _, body = await dependencies(client)
    assert body["providers"]["one"]["state"] == "degraded"
    assert body["providers"]["one"]["health"]["consecutive_failures"] == 0


async def test_when_all_are_down_it_is_503(tmp_path: Path) -> None:
    """Nobody can answer: 503, and the components say so (S80)."""
    container = container_of(tmp_path, rows={"one": row(scripted(DEAD), max_retries=0)})
    async with client_of(container) as client:
        await ask(client, 3)
        status, body = await dependencies(client)
        live = await client.get("/health/live")
        ready = await client.get("/health/ready")
    assert (status, body["status"]) == (503, "degraded")
    assert body["components"]["llm_provider"] is False
    assert body["components"]["provider_count"] == 1
    assert (live.status_code, ready.status_code) == (200, 200)


@pytest.mark.parametrize("kind", [ProviderAuthError, ModelNotFoundError])
async def test_what_only_the_operator_mends_is_marked(
    tmp_path: Path, kind: type[ProviderError]
) -> None:
    """A refused key or a missing model marks the provider; others serve (S105, S106)."""
    wrong = Fail(kind, message="no", fields={"hint": "Check ONE_KEY or ONE_MODEL."})
    async with client_of(chain_of_two(tmp_path, wrong)) as client:
        response = await client.post(TROUBLESHOOT, json=QUESTION)
        _, body = await dependencies(client)
    assert response.json()["provider"] == "two"
    assert len([a for a in response.json()["attempts"] if a["provider"] == "one"]) == 1
    one = body["providers"]["one"]
    assert (one["state"], one["misconfigured"]) == ("down", True)
    assert one["health"]["last_error_class"] == kind.error_class.value
    assert one["health"]["hint"] == "Check ONE_KEY or ONE_MODEL."


async def test_an_empty_chain_is_not_initialized_and_not_ready(tmp_path: Path) -> None:
    """Nobody to ask: alive, but no traffic, and the documented word for it (S72, S86)."""
    async with client_of(container_of(tmp_path, rows={})) as client:
        status, body = await dependencies(client)
        ready = await client.get("/health/ready")
        live = await client.get("/health/live")
        summary = await client.get("/health")
    assert (status, body["status"]) == (503, "not_initialized")
    assert body["components"]["llm_provider"] is False
    assert ready.status_code == 503
    assert ready.json() == {
        "status": "not_ready",
        "checks": {"session_store": True, "provider_configured": False},
    }
    assert live.status_code == 200
    assert (summary.status_code, summary.json()["ready"]) == (200, False)


async def test_readiness_is_the_own_store(tmp_path: Path) -> None:
    """A store that cannot be read keeps traffic away; providers never do (S86)."""
    container = container_of(tmp_path)
    async with client_of(container) as client:
        assert (await client.get("/health/ready")).status_code == 200
        await asyncio.to_thread(_break, container.settings.session_database)
        response = await client.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["checks"]["session_store"] is False
        assert (await client.get("/health/live")).json() == {"status": "alive"}


def _break(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DROP TABLE turn")
    connection.close()


LIFE: tuple[tuple[LocalModelState, int, str, str], ...] = (
    ("starting", 200, "starting", "degraded"),
    ("downloading", 200, "starting", "degraded"),
    ("loading", 200, "starting", "degraded"),
    ("restarting", 200, "starting", "degraded"),
    ("ready", 200, "unknown", "healthy"),
    ("failed", 503, "down", "degraded"),
    ("stopped", 503, "down", "degraded"),
)


@pytest.mark.parametrize(("state", "status", "provider", "overall"), LIFE)
async def test_the_embedded_model_tells_its_state(
    tmp_path: Path, state: LocalModelState, status: int, provider: str, overall: str
) -> None:
    """While it loads the service is degraded and says how far it is; failed, nobody answers."""
    rows = {"local": row(scripted(Say()), local=True)}
    container = container_of(tmp_path, rows=rows, variables={"CHAT_PROVIDER": "local"})
    container.local_model = LocalModelStatus(state=state, progress=0.4, message="Fetching it.")
    async with client_of(container) as client:
        found = await client.get("/health/dependencies")
        summary = await client.get("/health")
    body = found.json()
    assert (found.status_code, body["status"]) == (status, overall)
    assert body["providers"]["local"]["state"] == provider
    assert body["local_model"]["progress"] == 0.4
    assert body["local_model"]["message"] == "Fetching it."
    assert summary.json()["local_model"] == state


async def test_the_summary_agrees_with_its_parts(tmp_path: Path) -> None:
    """One small answer with the states of the configured providers."""
    async with client_of(chain_of_two(tmp_path, DEAD)) as client:
        await ask(client, 3)
        body = (await client.get("/health")).json()
    assert body == {
        "status": "degraded",
        "ready": True,
        "llm_provider": True,
        "fallback_chain": ["one", "two"],
        "providers": {"one": "down", "two": "healthy"},
        "local_model": "off",
    }


async def test_the_catalogue_lists_everybody(tmp_path: Path) -> None:
    """The list of providers is the one of the health report, and asks nobody (S2, S62)."""
    container = chain_of_two(tmp_path, Say())
    async with client_of(container) as client:
        catalogue = (await client.get("/api/v1/providers")).json()
        _, health = await dependencies(client)
    assert catalogue["providers"] == health["providers"]
    assert catalogue["fallback_chain"] == container.registry.get_fallback_chain()
    status = container.registry.get_provider_status()
    for name, entry in catalogue["providers"].items():
        documented = ("available", "models", "confidence_score", "in_fallback_chain")
        assert {key: entry[key] for key in documented} == {
            key: status[name][key] for key in documented
        }


async def test_the_short_form_is_the_documented_one(tmp_path: Path) -> None:
    """What the container's health check gives is status and components (S72)."""
    container = chain_of_two(tmp_path, Say())
    assert container.health.overview() == {
        "status": "healthy",
        "components": {
            "llm_provider": True,
            "provider_count": 2,
            "fallback_chain_length": 2,
        },
    }


async def test_no_key_is_in_any_answer(tmp_path: Path) -> None:
    """A planted key shows in no health report, no catalogue, no metric (S69)."""
    key = "planted-key-4711-abcdefgh"
    rows = {"one": row(scripted(Say(), Fail(ProviderAuthError)), api_key_var="ONE_KEY")}
    container = container_of(tmp_path, rows=rows, variables={"ONE_KEY": key})
    async with client_of(container) as client:
        assert container.registry.get_config("one").api_key == key
        await ask(client, 2)
        paths = ("/health", "/health/dependencies", "/api/v1/providers", "/metrics")
        texts = [(await client.get(path)).text for path in paths]
    assert not [text for text in texts if key in text]


async def test_metrics_agree_with_what_happened(tmp_path: Path) -> None:
    """Before, nothing; after one failure and one answer, exactly that (S85)."""
    async with client_of(chain_of_two(tmp_path, DEAD)) as client:
        labels = {"model": "default", "outcome": "connection", "provider": "one"}
        assert await sample(client, "faultmaven_attempts_total", **labels) == 0
        await ask(client)
        assert await sample(client, "faultmaven_attempts_total", **labels) == 1
        good = {"model": "default", "outcome": "ok", "provider": "two"}
        assert await sample(client, "faultmaven_attempts_total", **good) == 1
        moved = {"from": "one", "to": "two", "reason": "connection"}
        assert await sample(client, "faultmaven_fallbacks_total", **moved) == 1
        durations = "faultmaven_attempt_duration_seconds_count"
        assert await sample(client, durations, provider="two", result="ok") == 1
        name = "faultmaven_provider_availability_ratio"
        assert await sample(client, name, provider="one") == 0
        assert await sample(client, name, provider="two") == 1
        requests = {"route": TROUBLESHOOT, "status": "200"}
        assert await sample(client, "faultmaven_requests_total", **requests) == 1
        assert await sample(client, "faultmaven_gateway_overhead_seconds_count") == 1
        assert await sample(client, "faultmaven_requests_in_flight") == 1  # this scrape


async def test_health_answers_while_providers_hang(tmp_path: Path) -> None:
    """Questions that wait for a provider do not hold up what is served from memory (S81)."""
    stuck = Stuck()
    async with client_of(container_of(tmp_path, agent=stuck)) as client, asyncio.timeout(20):
        waiting = [asyncio.create_task(client.post(TROUBLESHOOT, json=QUESTION)) for _ in range(20)]
        await stuck.began.wait()
        for path in ("/health", "/health/live", "/health/ready", "/health/dependencies"):
            assert (await client.get(path)).status_code == 200
        assert await sample(client, "faultmaven_requests_in_flight") == 21
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def for_ever(_seconds: float) -> None:
    """Wait for something that does not come."""
    await asyncio.Event().wait()


def probed_service(
    folder: Path,
    transport: Transport,
    *upstreams: Upstream,
    sleep: Callable[[float], Awaitable[None]] = for_ever,
) -> Container:
    """A service over real providers, the primary first; probed when the test wants it."""
    known = {"LOCAL_LLM_ENABLED": "false"}
    for up in upstreams:
        name = up.dialect.name.upper()
        known |= {f"{name}_API_KEY": up.key, f"{name}_API_BASE": up.base_url}
        known |= {f"{name}_MODEL": up.model}
    first, *others = (up.dialect.name for up in upstreams)
    known |= {"CHAT_PROVIDER": first, "FALLBACK_CHAIN": ",".join(others) or "none"}
    settings = settings_of({"FAULTMAVEN_DATA_DIR": str(folder), **known})
    registry = ProviderRegistry(settings, transport=transport)
    container = Container(settings, registry, SQLiteSessionStore(settings.session_database))
    witnesses = (container.metrics, container.tracker)
    container.prober = Prober(registry, witnesses=witnesses, sleep=sleep)
    return container


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """A transport of one's own."""
    transport = new_transport()
    yield transport
    await transport.aclose()


async def test_probes_see_outage_and_recovery(tmp_path: Path, transport: Transport) -> None:
    """Without one request: degraded, 503 when all are gone, and healthy again (S80, S81)."""
    async with Upstream("openai") as one, Upstream("fireworks") as two:
        container = probed_service(tmp_path, transport, one, two)
        async with client_of(container) as client:
            seen = []
            for happens in (None, one.stop, two.stop, one.start, two.start):
                if happens is not None:
                    await happens()
                await container.prober.round()
                status, body = await dependencies(client)
                seen.append((status, body["status"], body["components"]["llm_provider"]))
    assert seen == [
        (200, "healthy", True),
        (200, "degraded", True),
        (503, "degraded", False),
        (200, "degraded", True),
        (200, "healthy", True),
    ]


async def test_a_provider_tells_its_last_probe(tmp_path: Path, transport: Transport) -> None:
    """When, how it went, how long it took; what failed, when, and what to do; the breaker."""
    async with Upstream("openai") as up:
        up.always("status_503")
        container = probed_service(tmp_path, transport, up)
        async with client_of(container) as client:
            await container.prober.round()
            _, body = await dependencies(client)
            probes = {"provider": "openai", "outcome": "overloaded"}
            assert await sample(client, "faultmaven_probes_total", **probes) == 1
            assert await sample(client, "faultmaven_provider_up", provider="openai") == 1
            state = {"provider": "openai", "state": "degraded"}
            assert await sample(client, "faultmaven_provider_state", **state) == 1
            breaker = {"provider": "openai", "state": "closed"}
            assert await sample(client, "faultmaven_breaker_state", **breaker) == 1
    report = body["providers"]["openai"]
    health = report["health"]
    assert (report["state"], report["breaker"]) == ("degraded", "closed")
    assert health["last_probe"]["outcome"] == health["last_error_class"] == "overloaded"
    assert health["last_probe"]["at"] == health["last_error_at"]
    assert datetime.fromisoformat(health["last_error_at"]).tzinfo is not None
    assert health["last_probe"]["latency_ms"] > 0
    assert "status page" in health["hint"]
    assert health["availability"] is None


async def test_times_are_iso_8601(tmp_path: Path) -> None:
    """Times are for people, in UTC."""
    async with client_of(chain_of_two(tmp_path, Say())) as client:
        await ask(client)
        _, body = await dependencies(client)
        stamp = "faultmaven_provider_last_success_timestamp_seconds"
        seconds = await sample(client, stamp, provider="one")
    told = body["providers"]["one"]["health"]["last_success_at"]
    assert told.endswith("Z")
    assert datetime.fromisoformat(told).timestamp() == pytest.approx(seconds)


async def test_health_answers_while_every_free_call_hangs(
    tmp_path: Path, transport: Transport
) -> None:
    """What is served from memory waits for no upstream: each answers before any check has (S81)."""
    async with Upstream("openai") as one, Upstream("fireworks") as two, asyncio.timeout(20):
        for up in (one, two):
            up.always("stalled_headers")
        container = probed_service(tmp_path, transport, one, two, sleep=asyncio.sleep)
        async with client_of(container) as client:
            for up in (one, two):
                await up.until(lambda upstream: upstream.in_flight == 1)
            for path in ("/health", "/health/live", "/health/ready", "/health/dependencies"):
                assert (await client.get(path)).status_code == 200
            assert (one.in_flight, two.in_flight) == (1, 1), "both still hang"


async def test_the_breaker_is_told(tmp_path: Path) -> None:
    """Whether a provider is left alone shows in the report."""
    container = chain_of_two(tmp_path, Say())
    container.health = HealthService(
        directory=container.registry,
        health=container.tracker,
        sessions=container.sessions,
        local_model=lambda: container.local_model,
        breaker_state=lambda name: "open" if name == "one" else "closed",
    )
    async with client_of(container) as client:
        _, body = await dependencies(client)
    told = {name: report["breaker"] for name, report in body["providers"].items()}
    assert told == {"one": "open", "two": "closed", "keyless": "closed"}
