"""The composition root: what is built from what, and what happens at its edges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from doubles import schema
from faultmaven.container import Container
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, get_registry
from faultmaven.infrastructure.llm.transport import shared_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.interfaces import ILLMProvider, LLMResponse
from upstreams import Upstream


class _Oracle(ILLMProvider):
    """Ten lines that answer."""

    async def generate(self, prompt: str, **_options: object) -> LLMResponse:
        """Say the same to everybody."""
        return LLMResponse(
            "## Summary\nWrites fail.\n## Root cause\nA full disk.",
            0.9,
            "oracle",
            "o1",
            len(prompt),
            1,
        )

    def is_available(self) -> bool:
        """Say yes."""
        return True

    def get_supported_models(self) -> list[str]:
        """Name the one model."""
        return ["o1"]


@pytest.fixture
async def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Container]:
    """A container in an empty folder, without the embedded model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCAL_MODEL", "off")
    monkeypatch.setenv("FAULTMAVEN_DATA_DIR", str(tmp_path / "data"))
    built = Container()
    built.reset()
    yield built
    await built.stop()
    built.reset()


def opened(folder: Path) -> bool:
    """Tell whether the session database is open: SQLite removes its log with the last user."""
    return any((folder / "data").glob("sessions.sqlite3-wal"))


def test_it_is_not_initialized_before_anything_was_asked_of_it(container: Container) -> None:
    """A fresh container says so instead of guessing (S72, C23)."""
    assert container.health_check()["status"] == "not_initialized"


def test_it_is_healthy_once_the_chain_is_built(container: Container) -> None:
    """Nothing was tried yet, so nothing is known to be down (S72)."""
    container.get_llm_provider()

    assert container.health_check()["status"] == "healthy"


def test_the_chain_is_a_provider_over_the_one_registry(container: Container) -> None:
    """The router is an ILLMProvider, the same one each time, over `get_registry` (S70, S71)."""
    provider = container.get_llm_provider()

    assert isinstance(provider, ILLMProvider)
    assert type(provider).__name__ == "LLMRouter"
    assert provider is container.get_llm_provider()
    assert container.get_registry() is get_registry()


def test_reset_reads_the_environment_again(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `reset` a new key is seen and the old objects are gone (S73)."""
    before = container.get_llm_provider()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-a-test")

    container.reset()

    assert container.get_llm_provider() is not before
    assert "openai" in container.get_registry().get_fallback_chain()


async def test_reset_closes_the_open_connections(container: Container) -> None:
    """A connection kept for reuse does not outlive `reset` (S73)."""
    async with Upstream("openai") as up:
        request = WireRequest("GET", f"{up.base_url}/models", {"authorization": f"Bearer {up.key}"})
        await shared_transport().send(request, timeout=5)
        assert up.connections.open == 1

        container.reset()

        await up.until(lambda server: server.connections.open == 0)


async def test_reset_leaves_nothing_running(
    container: Container, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An embedded model and an open session store do not outlive `reset` (S73)."""
    weights = tmp_path / "own.gguf"
    weights.write_bytes(b"GGUF" + bytes(64))
    monkeypatch.setenv("LOCAL_MODEL", "on")
    monkeypatch.setenv("LOCAL_MODEL_PATH", str(weights))
    container.reset()
    states: list[str] = []
    container.get_local_model().on_status(lambda status: states.append(status.state))
    await container.start()
    assert states[0] == "starting"
    assert opened(tmp_path)

    container.reset()

    async with asyncio.timeout(20):
        while opened(tmp_path) or states[-1] != "stopped":  # noqa: ASYNC110 - SQLite tells nobody
            await asyncio.sleep(0.01)


def test_reset_closes_what_an_ended_loop_left_open(container: Container, tmp_path: Path) -> None:
    """A script that ran its own event loops loses nothing by `reset` either (S73)."""

    async def begin() -> None:
        await container.start()
        assert opened(tmp_path)

    asyncio.run(begin())
    assert opened(tmp_path)

    container.reset()

    assert not opened(tmp_path)


def test_reset_closes_what_another_loop_will_run_again(
    container: Container, tmp_path: Path
) -> None:
    """A loop that merely rests is used to close what was opened on it (S73)."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(container.start())
        assert opened(tmp_path)

        container.reset()

        assert not opened(tmp_path)
    finally:
        loop.close()


def test_reset_closes_a_store_that_was_opened_on_first_use(
    container: Container, tmp_path: Path
) -> None:
    """Whoever asks without starting opens the store all the same; `reset` closes it (S73)."""
    container.get_health_service()
    assert asyncio.run(container.core.sessions().is_healthy())
    assert opened(tmp_path)

    container.reset()

    assert not opened(tmp_path)


async def test_any_part_can_be_replaced_without_patching(container: Container) -> None:
    """An overridden router serves the agent in its place (S77, S74)."""
    with container.core.router.override(_Oracle()):
        question = TroubleshootRequest(session_id="s", query="Why does every write fail?")
        answer = await container.get_agent_service().troubleshoot(question)

    assert answer.provider == "oracle"
    assert answer.root_cause == "A full disk."
    await container.stop()


async def test_it_can_be_started_again_after_a_stop(container: Container) -> None:
    """Start and stop leave nothing behind that hinders a second start."""
    for _ in range(2):
        await container.start()
        assert await container.core.sessions().is_healthy()
        await container.stop()


async def test_the_embedded_model_stays_off_where_it_is_not_wanted(container: Container) -> None:
    """LOCAL_MODEL=off starts nothing, and says why."""
    await container.start()

    assert container.get_local_model().status.state == "off"
    assert not (await container.get_local_model().ability()).wanted
    await container.stop()


async def test_what_is_masked_on_its_way_out_is_counted(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in a prompt reaches no vendor, and the metric tells that one was removed."""
    async with Upstream("openai") as up:
        monkeypatch.setenv("OPENAI_API_KEY", up.key)
        monkeypatch.setenv("OPENAI_API_BASE", up.base_url)
        monkeypatch.setenv("CHAT_PROVIDER", "openai")
        container.reset()

        await container.get_llm_provider().generate("the log says hf_abcdefgh12345678 was refused")

        assert b"hf_abcdefgh12345678" not in up.last.body
    exposition = container.get_metrics().expose()[0].decode()
    assert 'faultmaven_redactions_total{kind="huggingface_key"} 1.0' in exposition


async def models_with(server_has: Sequence[str], container: Container) -> list[str]:
    """Start beside a server that has these models; the local provider's, in their order."""
    catalogue = json.dumps({"models": [{"name": name} for name in server_has]}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + catalogue)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        row = {**PROVIDER_SCHEMA["local"], "default_base_url": address}
        with schema({"local": row}, alone=False):
            container.reset()
            await container.start()
            return container.get_registry().get_config("local").models


@pytest.fixture
def automatic(container: Container, monkeypatch: pytest.MonkeyPatch) -> Container:
    """A container that looks for a running server, and starts none."""
    monkeypatch.setenv("LOCAL_MODEL", "auto")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key-of-a-test")
    return container


@pytest.mark.parametrize(
    "models",
    [
        ("nomic-embed-text:latest", "llama3.2:3b"),
        ("bge-m3", "all-minilm:22m", "llama3.2:3b"),
        ("BAAI/bge-reranker-v2-m3", "intfloat/multilingual-e5-large", "llama3.2:3b"),
        ("mxbai-embed-large", "llama3.2:3b", "qwen3-embedding:0.6b"),
    ],
)
async def test_a_running_server_is_asked_for_a_model_that_chats(
    models: tuple[str, ...], automatic: Container
) -> None:
    """Of the models that a server has, those that only embed or rank come last."""
    found = await models_with(models, automatic)
    assert found[0] == "llama3.2:3b"
    assert sorted(found) == sorted(models)


async def test_the_servers_order_of_models_stands(automatic: Container) -> None:
    """Names that merely look a little like those of other models keep their place."""
    models = ["bgeneral-7b", "phi-e52", "llama3.2:3b"]
    assert await models_with(models, automatic) == models


async def test_probing_begins_when_it_is_wanted_and_ends_with_the_rest(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting alone probes nobody; what probing shows is in health report and metrics (S81)."""
    async with Upstream("openai") as up:
        monkeypatch.setenv("OPENAI_API_KEY", up.key)
        monkeypatch.setenv("OPENAI_API_BASE", up.base_url)
        monkeypatch.setenv("OPENAI_MODEL", up.model)
        monkeypatch.setenv("CHAT_PROVIDER", "openai")
        monkeypatch.setenv("LOCAL_LLM_ENABLED", "false")
        container.reset()
        await container.start()
        assert not up.requests
        container.begin_probing()
        health = container.get_health_service()
        async with asyncio.timeout(20):
            while (report := health.dependencies().providers["openai"]).state != "healthy":  # noqa: ASYNC110 - health tells nobody
                await asyncio.sleep(0.01)
        exposition = container.get_metrics().expose()[0].decode()
        await container.stop()
        assert {request.method for request in up.requests} == {"GET"}
    assert "prober" not in {task.get_name() for task in asyncio.all_tasks()}
    assert report.breaker == "closed"
    assert 'faultmaven_breaker_state{provider="openai",state="closed"} 1.0' in exposition
    assert 'faultmaven_probes_total{outcome="ok",provider="openai"} 1.0' in exposition
