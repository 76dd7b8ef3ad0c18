"""Hugging Face: the router, and the endpoints of the older kind."""

import asyncio

import pytest

from faultmaven.errors import ProviderOverloadedError
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.models.prompt import StructuredOutput
from providers.vendors import provider_for
from upstreams import Upstream, json_reply

MODEL = "tiiuae/falcon-7b-instruct"


@pytest.mark.parametrize("dialect", ["hf_endpoint", "hf_endpoint_object"])
async def test_endpoint_answers_with_list_or_object(dialect: str, transport: Transport) -> None:
    """Below …/models the model is in the path; list and object are both read (S14, S15)."""
    async with Upstream(dialect, answer="The disk is full.") as up:
        response = await provider_for(up, transport).generate("Why?", max_tokens=20)

    assert up.last.path == f"/models/{MODEL}"
    assert up.last.bearer == up.key
    assert up.last.json["inputs"] == "Why?"
    assert response.content == "The disk is full."
    assert not up.rejections


async def test_dedicated_endpoint_is_asked_at_its_root(transport: Transport) -> None:
    """An address of its own is asked as it stands (S14, S22)."""
    async with Upstream("hf_endpoint") as up:
        provider = provider_for(up, transport, base_url=up.origin)
        assert (await provider.generate("Why?")).content

    assert up.last.path == "/"


async def test_loading_model_blocks_nobody_else(transport: Transport) -> None:
    """A cold model's 503 comes back at once with its wait, while others are served (S14)."""
    async with Upstream("hf_endpoint") as up:
        provider = provider_for(up, transport)
        up.script(json_reply(503, {"error": "Model is currently loading", "estimated_time": 600}))
        cold, *warm = await asyncio.gather(
            *(provider.generate("Why?") for _ in range(5)), return_exceptions=True
        )
        failures = [answer for answer in (cold, *warm) if isinstance(answer, BaseException)]

    (failure,) = failures
    assert isinstance(failure, ProviderOverloadedError)
    assert failure.retry_after == 600
    assert failure.provider == "hf_endpoint"


async def test_router_is_spoken_to_behind_v1(transport: Transport) -> None:
    """An address that ends in /v1 is OpenAI's format, and promises no schema (S14, S22)."""
    async with Upstream("huggingface") as up:
        provider = provider_for(up, transport)
        assert (await provider.generate("Why?")).content
        assert provider.target(MODEL).structured is StructuredOutput.NONE

    assert up.last.path == "/v1/chat/completions"
