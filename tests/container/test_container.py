"""The composition root: what is built from what, and what happens at its edges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven.container import Container
from faultmaven.infrastructure.llm.providers.registry import get_registry
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
