"""A new configuration for a service that runs: taken over whole, or not at all."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.live import served
from api.service import sample
from container.configuration import BROKEN, Configuration, model_server
from doubles import schema
from faultmaven.container import Container
from faultmaven.container.watch import FileWatch
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.services.reloading import ReloadRejectedError
from upstreams import Upstream

_DESCRIPTORS = Path("/proc/self/fd")  # on Linux; elsewhere they are not counted
CHAT = "/v1/chat/completions"
QUESTION = {"model": "auto", "messages": [{"role": "user", "content": "Why is the disk full?"}]}


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Configuration:
    """A folder with nothing but what the test writes into ``.env`` and the providers file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCAL_MODEL", "off")
    monkeypatch.setenv("PROBE_INTERVAL", "0")  # upstreams count requests
    monkeypatch.setenv("FAULTMAVEN_DATA_DIR", str(tmp_path / "data"))
    return Configuration(tmp_path)


@pytest.fixture
async def container(configuration: Configuration) -> AsyncIterator[Container]:
    """A container that was not asked for anything yet."""
    assert configuration.folder.is_dir()
    built = Container()
    built.reset()
    yield built
    await built.stop()
    built.reset()


@asynccontextmanager
async def client_of(container: Container) -> AsyncIterator[httpx.AsyncClient]:
    """Serve on a socket and give a client."""
    async with (
        served(container) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=20) as client,
    ):
        yield client


async def ask(client: httpx.AsyncClient) -> httpx.Response:
    """Ask the chain."""
    return await client.post(CHAT, json=QUESTION)


@asynccontextmanager
async def steady_requests(client: httpx.AsyncClient) -> AsyncIterator[list[int]]:
    """Ask twenty times a second meanwhile; gives the statuses of what has been answered."""
    statuses: list[int] = []

    async def one() -> None:
        statuses.append((await ask(client)).status_code)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            while not over.is_set():
                group.create_task(one())
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), 0.05)

    over = asyncio.Event()
    asking = asyncio.create_task(all_of_them())
    try:
        yield statuses
    finally:
        over.set()
        await asking


async def test_a_provider_added_to_env_serves_without_a_restart(
    configuration: Configuration, container: Container
) -> None:
    """Requests go on, none fails, and the new primary is asked soon (S102)."""
    async with Upstream("openai") as old, Upstream("fireworks") as new:
        configuration.env(configuration.openai(old))
        async with client_of(container) as client, steady_requests(client) as statuses:
            await old.until(lambda up: len(up.requests) >= 3)
            configuration.env(
                {
                    **configuration.openai(old),
                    "FIREWORKS_API_KEY": new.key,
                    "FIREWORKS_API_BASE": new.base_url,
                    "FIREWORKS_MODEL": new.model,
                    "CHAT_PROVIDER": "fireworks",
                }
            )
            await new.until(lambda up: len(up.requests) >= 3, within=20)
    assert set(statuses) == {200}
    assert len(statuses) == len(old.requests) + len(new.requests)


async def test_a_row_added_to_the_providers_file_serves_without_a_restart(
    configuration: Configuration, container: Container
) -> None:
    """A provider that did not exist at the start is asked once its row is there (S102)."""
    async with Upstream("openai") as old, Upstream("openai") as new:
        rows = configuration.providers("")
        known = {
            **configuration.openai(old),
            "PROVIDERS_FILE": str(rows),
            "FALLBACK_CHAIN": "new",
            "NEW_KEY": new.key,
        }
        configuration.env({**known, "FALLBACK_CHAIN": ""})
        async with client_of(container) as client, steady_requests(client) as statuses:
            await old.until(lambda up: len(up.requests) >= 3)
            configuration.providers(configuration.row("new", new))
            configuration.env({**known, "CHAT_PROVIDER": "new"})
            await new.until(lambda up: len(up.requests) >= 3, within=20)
            attempts = await sample(
                client,
                "faultmaven_attempts_total",
                provider="new",
                model="default",
                outcome="ok",
            )
    assert set(statuses) == {200}
    assert attempts >= 1


async def test_who_has_asked_already_is_answered_by_whom_they_asked(
    configuration: Configuration, container: Container
) -> None:
    """A request under way ends with the provider it was given, though that one is gone (S102)."""
    async with Upstream("openai") as old, Upstream("fireworks") as new:
        configuration.env(configuration.openai(old))
        let_go = asyncio.Event()
        old.default = configuration.held(let_go)
        async with client_of(container) as client:
            under_way = asyncio.create_task(ask(client))
            await old.until(lambda up: up.in_flight == 1)
            configuration.env(
                {
                    "FIREWORKS_API_KEY": new.key,
                    "FIREWORKS_API_BASE": new.base_url,
                    "FIREWORKS_MODEL": new.model,
                    "CHAT_PROVIDER": "fireworks",
                    "LOCAL_LLM_ENABLED": "false",
                }
            )
            report = await container.core.reloader().reload("request")
            later = await ask(client)
            let_go.set()
            first = await under_way
    assert (report.providers_added, report.providers_removed) == (["fireworks"], ["openai"])
    assert (first.status_code, later.status_code) == (200, 200)
    assert (len(old.requests), len(new.requests)) == (1, 1)


async def test_a_changed_key_is_used_by_the_next_call(
    configuration: Configuration, container: Container
) -> None:
    """The key the vendor takes now is the one it gets, though it refused the last one (S104)."""
    async with Upstream("openai", keys={"sk-new-key"}) as up:
        variables = configuration.openai(up, key="sk-old-key")
        configuration.env(variables)
        async with client_of(container) as client:
            refused = await ask(client)
            configuration.env({**variables, "OPENAI_API_KEY": "sk-new-key"})
            report = await container.core.reloader().reload("request")
            taken = await ask(client)
    assert (refused.status_code, taken.status_code) == (503, 200)
    assert report.providers_changed == {"openai": ["api_key"]}
    assert "sk-new-key" not in repr(report)


async def test_a_provider_configured_anew_has_a_new_chance(
    configuration: Configuration, container: Container
) -> None:
    """What the old key's account was out of says nothing of the new one's (S104)."""
    async with Upstream("openai", keys=None) as up:
        variables = configuration.openai(up, key="sk-old-key")
        up.always("insufficient_quota")
        configuration.env(variables)
        async with client_of(container) as client:
            await ask(client)
            gate, model = container.core.gate(), up.model
            before = gate.wait("openai", model)
            configuration.env({**variables, "OPENAI_API_KEY": "sk-new-key"})
            await container.core.reloader().reload("request")
            health = (await client.get("/api/v1/providers")).json()["providers"]["openai"]
    assert before > 1
    assert gate.wait("openai", model) == 0
    assert health["state"] == "unknown"


async def test_a_hundred_reloads_leave_nothing_behind(
    configuration: Configuration, container: Container
) -> None:
    """Tasks, sockets, registries and providers are as many as after the first few."""

    def left() -> tuple[int, int, int, int]:
        gc.collect()
        kinds = [type(found) for found in gc.get_objects()]
        return (
            len(asyncio.all_tasks()),
            len(list(_DESCRIPTORS.iterdir())) if _DESCRIPTORS.exists() else 0,
            sum(issubclass(kind, ProviderRegistry) for kind in kinds),
            sum(issubclass(kind, HTTPProvider) for kind in kinds),
        )

    async with Upstream("openai") as up:
        variables = {**configuration.openai(up), "RELOAD_WATCH": "false"}
        configuration.env(variables)
        async with client_of(container) as client:
            reload = container.core.reloader().reload
            for number in range(110):
                configuration.env({**variables, "OPENAI_MODEL": f"gpt-{number % 2}"})
                assert (await reload("request")).result == "applied"
                if number == 9:
                    await ask(client)
                    before = left()
            await ask(client)
            assert left() == before


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
async def test_a_bad_configuration_changes_nothing(
    configuration: Configuration,
    container: Container,
    broken: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It says where it is bad and shows no value; everybody goes on with what they had."""
    async with Upstream("openai") as up:
        rows = configuration.providers(configuration.row("own", up))
        good = {
            **configuration.openai(up),
            "PROVIDERS_FILE": str(rows),
            "NEW_KEY": up.key,
            "LOCAL_LLM_ENABLED": "false",
        }
        configuration.env(good)
        async with client_of(container) as client:
            before = container.get_registry().get_provider_status()
            broken.spoil(configuration, good)
            with pytest.raises(ReloadRejectedError, match=broken.says) as caught:
                await container.core.reloader().reload("request")
            after = container.get_registry().get_provider_status()
            answer = await ask(client)
            rejected = await sample(client, "faultmaven_config_reloads_total", result="rejected")
    assert after == before
    assert answer.status_code == 200
    assert rejected == 1
    assert broken.secret not in f"{caught.value} {caught.value.hint} {caplog.text}"


async def test_the_embedded_model_is_still_asked(
    configuration: Configuration, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server that was started outlives a reload, and the local provider goes on asking it."""
    weights = configuration.folder / "own.gguf"
    weights.write_bytes(b"GGUF" + bytes(64))
    monkeypatch.setenv("LOCAL_MODEL", "on")
    monkeypatch.setenv("LOCAL_MODEL_PATH", str(weights))
    await container.start()
    registry = container.get_registry()
    before, patience = registry.get_config("local"), registry.request_timeout
    configuration.env({"GEMINI_API_KEY": "AIza-key", "FALLBACK_CHAIN": "gemini"})
    report = await container.core.reloader().reload("request")
    assert before.options == {"engine": "embedded"}
    assert registry.get_config("local") == before
    assert (report.providers_added, report.providers_changed) == (["gemini"], {})
    assert (patience, registry.request_timeout) == (180, 60)


@pytest.mark.parametrize(
    ("variables", "models"),
    [
        ({}, ["llama3.2:3b", "qwen3:4b"]),
        ({"LOCAL_LLM_MODEL": "qwen3:4b"}, ["qwen3:4b", "Phi-3-mini-128k-instruct-onnx"]),
    ],
    ids=["found", "named meanwhile"],
)
async def test_a_server_that_was_found_is_still_asked(
    configuration: Configuration,
    container: Container,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    models: list[str],
) -> None:
    """What a start found out about the local provider holds, but for what is configured now."""
    monkeypatch.setenv("LOCAL_MODEL", "auto")
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-key")
    async with model_server("llama3.2:3b", "qwen3:4b") as address:
        row = {**PROVIDER_SCHEMA["local"], "default_base_url": address}
        with schema({"local": row}, alone=False):
            await container.start()
            found = container.get_registry().get_config("local")
            configuration.env({"OPENAI_API_KEY": "sk-key", **variables})
            await container.core.reloader().reload("request")
    assert found.models == ["llama3.2:3b", "qwen3:4b"]
    assert container.get_registry().get_config("local").models == models


async def test_what_reads_as_before_is_left_alone(
    configuration: Configuration, container: Container
) -> None:
    """A reload without a change replaces no provider, and one with a change only the changed."""
    async with Upstream("openai") as up:
        configuration.env({**configuration.openai(up), "GEMINI_API_KEY": "AIza-key"})
        reload, registry = container.core.reloader().reload, container.get_registry()
        providers = registry.get_provider("openai"), registry.get_provider("gemini")
        unchanged = await reload("request")
        assert registry.get_provider("openai") is providers[0]
        configuration.env({**configuration.openai(up), "GEMINI_API_KEY": "AIza-other"})
        changed = await reload("request")
    assert (unchanged.result, changed.result) == ("unchanged", "applied")
    assert registry.get_provider("openai") is providers[0]
    assert registry.get_provider("gemini") is not providers[1]


async def test_options_are_used_at_once_or_named(
    configuration: Configuration, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new limit of the service holds for the next request; what needs a restart is said."""
    monkeypatch.setenv("LOG_FORMAT", "console")
    async with Upstream("openai") as up:
        configuration.env(configuration.openai(up))
        async with client_of(container) as client:
            configuration.env(
                {
                    **configuration.openai(up),
                    "MAX_BODY_BYTES": "20",
                    "PORT": "8123",
                    "LOG_FORMAT": "json",
                }
            )
            report = await container.core.reloader().reload("request")
            answer = await ask(client)
    assert report.settings_changed == ["PORT", "MAX_BODY_BYTES"]
    assert report.needs_restart == ["PORT"]
    assert "LOG_FORMAT" in report.warnings[0]
    assert answer.status_code == 413


async def test_hedging_is_switched_on_while_the_service_runs(
    configuration: Configuration, container: Container
) -> None:
    """From then on providers are timed; one that is changed has to be learnt anew."""
    async with Upstream("openai") as slow, Upstream("fireworks") as quick:
        variables = {
            **configuration.openai(slow),
            "FIREWORKS_API_KEY": quick.key,
            "FIREWORKS_API_BASE": quick.base_url,
            "FIREWORKS_MODEL": quick.model,
        }
        configuration.env(variables)
        async with client_of(container) as client:
            configuration.env({**variables, "HEDGE_AFTER": "p95"})
            report = await container.core.reloader().reload("request")
            for _ in range(20):
                await ask(client)
            slow.always("stalled_headers")
            answer = await ask(client)
            metrics = (await client.get("/metrics")).text
            hedging = container.core.hedging()
            before = hedging.asked("openai", slow.model, live=False)
            configuration.env({**variables, "HEDGE_AFTER": "p95", "OPENAI_API_KEY": "sk-new-key"})
            await container.core.reloader().reload("request")
    assert (report.settings_changed, report.needs_restart) == (["HEDGE_AFTER"], [])
    assert answer.headers["X-FaultMaven-Provider"] == "fireworks"
    assert answer.headers["X-FaultMaven-Attempts"] == "2"
    assert 'faultmaven_hedges_total{outcome="won",provider="fireworks"} 1.0' in metrics
    assert before is not None
    assert hedging.asked("openai", slow.model, live=False) is None


async def test_a_half_written_file_is_left_alone(tmp_path: Path) -> None:
    """A change counts once two looks find the same, and once; a file that is gone is no change."""
    file, told = tmp_path / ".env", list[str]()

    async def changed() -> None:
        told.append(file.read_text())

    file.write_text("A=1")
    watch = FileWatch(lambda: [file], on_change=changed)
    for text in ("A=12", "A=123", "A=1234"):
        file.write_text(text)
        await watch.look()
    assert told == []
    await watch.look()
    await watch.look()
    file.unlink()
    await watch.look()
    await watch.look()
    assert told == ["A=1234"]
    file.write_text("A=5")
    await watch.look()
    await watch.look()
    assert told == ["A=1234", "A=5"]
