"""What the documentation promises whoever adds a provider: Together by a row, Cohere by a class."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.service import TROUBLESHOOT, client_of, container_of
from contract.subjects import DOCUMENTED_ROWS
from faultmaven.infrastructure.llm import providers
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA
from faultmaven.infrastructure.llm.transport import shared_transport
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.interfaces import ILLMProvider, LLMResponse
from faultmaven.services.agent import AgentService
from upstreams import Upstream

CURL = b'{"query": "Test troubleshooting query", "session_id": "test-session"}'
"""The documented request, as it stands there."""
ANSWER = "## Summary\nThe disk is full.\n\n## Root cause\nLogs are not rotated."

SEVEN_CLASSES = {row["provider_class"].__name__ for row in PROVIDER_SCHEMA.values()}


@asynccontextmanager
async def service_with(name: str, folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """Start the whole service with one more row, its key, and fireworks and openai behind it."""
    async with AsyncExitStack() as stack:
        ups = {
            who: await stack.enter_async_context(Upstream(who, answer=ANSWER))
            for who in (name, "fireworks", "openai")
        }
        variables = {"CHAT_PROVIDER": name}
        for who, up in ups.items():
            prefix = who.upper()
            variables |= {
                f"{prefix}_API_KEY": up.key,
                f"{prefix}_API_BASE": up.base_url,
                f"{prefix}_MODEL": up.model,
            }
        rows = {**PROVIDER_SCHEMA, name: DOCUMENTED_ROWS[name]}
        container = container_of(folder, variables=variables, rows=rows)
        stack.push_async_callback(shared_transport().aclose)
        yield await stack.enter_async_context(client_of(container)), ups


async def ask(client: httpx.AsyncClient) -> httpx.Response:
    """Send the documented request."""
    return await client.post(
        TROUBLESHOOT, content=CURL, headers={"content-type": "application/json"}
    )


@pytest.mark.parametrize("name", ["together", "cohere"])
async def test_added_provider_is_part_of_everything(name: str, tmp_path: Path) -> None:
    """It starts by its key, answers, is watched, heads the chain and is failed over from.

    The documented request is answered by it in the documented set-up (S82, S88, S89, S96, S98).
    """
    async with service_with(name, tmp_path) as (client, ups):
        dependencies = (await client.get("/health/dependencies")).json()
        assert dependencies["components"]["llm_provider"] is True
        assert dependencies["components"]["provider_count"] == 4
        assert dependencies["components"]["fallback_chain_length"] == 4
        assert dependencies["fallback_chain"] == [name, "fireworks", "openai", "local"]

        answer = await ask(client)
        assert answer.status_code == 200
        assert answer.json()["provider"] == name
        assert "The disk is full." in answer.json()["response"]
        assert not ups[name].rejections

        ups[name].always("status_401")
        answer = await ask(client)
        assert (answer.status_code, answer.json()["provider"]) == (200, "fireworks")
        after = (await client.get("/health/dependencies")).json()
        assert after["providers"][name]["health"]["last_error_class"] == "auth"
        assert f'provider="{name}"' in (await client.get("/metrics")).text


def test_package_exports_every_class() -> None:
    """Cohere's class is exported beside the seven (S95)."""
    assert set(providers.__all__) == SEVEN_CLASSES | {"CohereProvider"}
    for name in providers.__all__:
        assert issubclass(getattr(providers, name), ILLMProvider)


class TenLines(ILLMProvider):
    """A stand-in for any provider, in ten lines."""

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Answer the same to everything."""
        return LLMResponse(ANSWER, 0.9, "ten-lines", "m", len(prompt) + len(kwargs), 1)

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """Name a model."""
        return ["m"]


async def test_any_implementation_of_the_interface_serves_the_agent() -> None:
    """Services run with a ten-line stand-in: nothing of ours need be mocked (S57, S96)."""
    service = AgentService(llm_provider=TenLines())
    request = TroubleshootRequest(query="Why does the pod restart?", session_id="s")
    response = await service.troubleshoot(request)
    assert (response.provider, response.root_cause) == ("ten-lines", "Logs are not rotated.")
