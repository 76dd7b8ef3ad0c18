"""Providers somebody else wrote, in the chain."""

import asyncio
from typing import Any

import pytest

from doubles import (
    Witness,
    hand_written,
    row,
    schema,
    settings_of,
)
from faultmaven.errors import (
    AllProvidersFailedError,
    ProviderAuthError,
)
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.models.interfaces import LLMResponse


def router_over(provider: type[BaseLLMProvider], **fields: Any) -> tuple[LLMRouter, Witness]:
    """Build a router over this provider alone."""
    witness = Witness()
    usual = {"max_retries": 0, **fields}
    with schema({"acme": row(provider, api_key_var="ACME_KEY", **usual)}):
        settings = settings_of({"ACME_KEY": "shapeless7secret7value", "CHAT_PROVIDER": "acme"})
        registry = ProviderRegistry(settings)
    return LLMRouter(registry, observers=[witness]), witness


def answer(**fields: Any) -> LLMResponse:
    """Write the answer of a hand-written provider."""
    usual = {
        "content": "The disk is full.",
        "confidence": 0.85,
        "provider": "acme",
        "model": "model-1",
        "tokens_used": 12,
        "response_time_ms": 5,
    }
    return LLMResponse(**{**usual, **fields})


async def test_hand_written_provider_answers() -> None:
    """A provider with the three documented methods serves the chain as any other (S56, S90)."""

    async def behave(_: object) -> LLMResponse:
        return answer()

    provider = hand_written(behave)
    router, _ = router_over(provider)
    response = await router.generate("Why?", max_tokens=50, temperature=0.2, stop=["x"])
    assert (response.provider, response.content) == ("acme", "The disk is full.")
    assert (response.confidence, response.tokens_used) == (0.85, 12)
    assert provider.asked == [("Why?", {"model": "model-1", "max_tokens": 50, "temperature": 0.2})]


async def test_conversation_is_one_text_for_a_hand_written_provider() -> None:
    """A provider that takes a prompt only gets the whole conversation in it."""

    async def behave(_: object) -> LLMResponse:
        return answer()

    provider = hand_written(behave)
    router, _ = router_over(provider)
    await router.generate("Why?", system="Be brief.")
    ((prompt, _),) = provider.asked
    assert prompt == "Be brief.\n\nUser: Why?"


@pytest.mark.parametrize("claimed", [1.5, -0.2, float("nan")])
async def test_impossible_confidence_is_replaced(claimed: float) -> None:
    """A hand-written provider's impossible confidence gives way to its row's (S44)."""

    async def behave(_: object) -> LLMResponse:
        return answer(confidence=claimed)

    router, _ = router_over(hand_written(behave))
    assert (await router.generate("Why?")).confidence == 0.9


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (RuntimeError("boom"), "malformed"),
        (KeyError("generations"), "malformed"),
        (ConnectionRefusedError(111, "refused"), "connection"),
        (TimeoutError(), "timeout"),
        (ProviderAuthError("HTTP 401"), "auth"),
        (RecursionError(), "malformed"),
    ],
)
async def test_whatever_it_raises_is_an_attempt_that_failed(
    raised: Exception, outcome: str
) -> None:
    """Any exception of a hand-written provider is one failed attempt, never a crash (S37, S92)."""

    async def behave(_: object) -> LLMResponse:
        raise raised

    router, witness = router_over(hand_written(behave))
    with pytest.raises(AllProvidersFailedError):
        await router.generate("Why?")
    assert witness.seen[-1] == ("attempt", "acme", outcome)
    assert witness.attempts[0].provider == "acme"
    assert witness.attempts[0].detail


@pytest.mark.parametrize(
    "returned",
    [
        None,
        "text",
        {"content": "x"},
        answer(content=""),
        answer(content=" \n"),
        answer(content=None),
    ],
)
async def test_whatever_it_returns_is_judged(returned: object) -> None:
    """What is no answer is a garbled one, not a crash (S37)."""

    async def behave(_: object) -> object:
        return returned

    router, witness = router_over(hand_written(behave))
    with pytest.raises(AllProvidersFailedError):
        await router.generate("Why?")
    assert witness.seen[-1] == ("attempt", "acme", "malformed")


async def test_its_exception_text_is_cut_and_masked() -> None:
    """Keys in a hand-written provider's exception, of whatever shape, do not get out (S69, S92)."""

    async def behave(provider: Any) -> LLMResponse:
        raise ValueError(
            f"401 for {provider.config.api_key} sk-proj-3Zq8WvT5rKx2NmYb7\n" + "x" * 9000
        )

    router, witness = router_over(hand_written(behave))
    with pytest.raises(AllProvidersFailedError) as caught:
        await router.generate("Why?")
    said = f"{caught.value} {witness.attempts}"
    assert "shapeless7secret7value" not in said
    assert "3Zq8WvT5rKx2NmYb7" not in said
    assert "ValueError: 401 for [key removed]" in said
    assert len(str(caught.value)) < 400


async def test_it_is_cut_off_at_its_timeout() -> None:
    """A hand-written provider that hangs is given up after its row's timeout (S42)."""

    async def behave(_: object) -> LLMResponse:
        await asyncio.Event().wait()
        return answer()

    router, witness = router_over(hand_written(behave), timeout=0.05)
    with pytest.raises(AllProvidersFailedError, match="acme: timeout"):
        await router.generate("Why?")
    assert 40 <= witness.attempts[0].total_ms < 2000
