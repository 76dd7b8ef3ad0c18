"""The chain as a provider: who is asked, and what comes back."""

import pytest

from doubles import Fail, Say, chain_of, schema, settings_of
from faultmaven.errors import (
    AllProvidersFailedError,
    ContentFilteredError,
    ContextLengthError,
    ModelNotFoundError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderError,
    ProviderOverloadedError,
    ProviderProtocolError,
    ProviderRequestError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
    RequestRejectedError,
)
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.models.interfaces import ILLMProvider

GOOD = Say()
UNSURE = {"confidence_score": 0.6}
FALLING_BACK = (
    ProviderConnectionError,
    ProviderTimeoutError,
    ProviderOverloadedError,
    RateLimitedError,
    QuotaExceededError,
    ProviderAuthError,
    ModelNotFoundError,
    ContentFilteredError,
    ProviderProtocolError,
)


async def test_first_good_answer_ends_the_search() -> None:
    """The first answer that is sure enough is returned; nobody else is asked (S36)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]})
    response = await chain.router.generate("Why?")
    assert (response.provider, response.content) == ("one", "The disk is full.")
    assert response.stopped_because == "threshold_met"
    assert chain.calls() == {"one": 1, "two": 0}


async def test_fallbacks_are_asked_in_order() -> None:
    """When the first ones fail the next ones are asked in the chain's order (S31)."""
    dead = [Fail(ProviderAuthError)]
    chain = chain_of({"main": dead, "fireworks": dead, "openai": dead, "local": [GOOD]})
    response = await chain.router.generate("Why?")
    assert response.provider == "local"
    assert [attempt.provider for attempt in response.attempts] == [
        "main",
        "fireworks",
        "openai",
        "local",
    ]


@pytest.mark.parametrize("kind", FALLING_BACK)
async def test_failure_leads_to_the_next_provider(kind: type[ProviderError]) -> None:
    """Whatever goes wrong at one provider, the next one answers (S37, S108)."""
    chain = chain_of({"one": [Fail(kind)], "two": [GOOD]}, rows={"one": {"max_retries": 0}})
    response = await chain.router.generate("Why?")
    assert response.provider == "two"
    assert response.attempts[0].error_class is kind.error_class
    assert chain.calls() == {"one": 1, "two": 1}


async def test_everybody_failing_is_told_with_every_cause() -> None:
    """When nobody answers, the error names each provider and its cause, and is a 503 (S38, C4)."""
    chain = chain_of(
        {
            "one": [Fail(ProviderAuthError, message="HTTP 401")],
            "two": [Fail(QuotaExceededError, message="HTTP 402")],
        }
    )
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?")
    assert str(caught.value) == "All providers failed: one: auth (HTTP 401); two: quota (HTTP 402)"
    assert caught.value.status == 503
    assert [attempt.provider for attempt in caught.value.attempts] == ["one", "two"]


async def test_nobody_configured_is_told() -> None:
    """Without any provider the error says what to set (S38)."""
    with schema({}):
        router = LLMRouter(ProviderRegistry(settings_of({})))
    with pytest.raises(AllProvidersFailedError, match="no provider is configured") as caught:
        await router.generate("Why?")
    assert caught.value.hint is not None
    assert "API key" in caught.value.hint


async def test_soonest_return_is_told() -> None:
    """When everybody is busy the error says when the first of them is back (S107)."""
    chain = chain_of(
        {
            "one": [Fail(RateLimitedError, fields={"retry_after": 90})],
            "two": [Fail(RateLimitedError, fields={"retry_after": 70})],
        }
    )
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?")
    assert caught.value.retry_after == 70


@pytest.mark.parametrize("fault", [ProviderRequestError])
async def test_callers_mistake_is_not_passed_around(fault: type[ProviderError]) -> None:
    """A request the provider finds wrong is the caller's error, and nobody else is asked (S41)."""
    chain = chain_of({"one": [Fail(fault, fields={"hint": "Mend it."})], "two": [GOOD]})
    with pytest.raises(RequestRejectedError) as caught:
        await chain.router.generate("Why?")
    assert (caught.value.status, caught.value.hint) == (400, "Mend it.")
    assert chain.calls() == {"one": 1, "two": 0}


async def test_objection_to_our_own_fields_is_passed_on() -> None:
    """A provider that objects to what we added ourselves is passed over without a retry."""
    chain = chain_of({"one": [Fail(ProviderRequestError, falls_back=True)], "two": [GOOD]})
    assert (await chain.router.generate("Why?")).provider == "two"
    assert chain.calls() == {"one": 1, "two": 1}


async def test_earlier_answer_survives_a_later_rejection() -> None:
    """An unsure answer is better than the next provider's refusal of the request."""
    chain = chain_of({"one": [GOOD], "two": [Fail(ProviderRequestError)]}, rows={"one": UNSURE})
    response = await chain.router.generate("Why?")
    assert (response.provider, response.stopped_because) == ("one", "exhausted")


async def test_too_long_a_text_goes_to_larger_windows_only() -> None:
    """After "too long" only providers with a larger or unknown window are asked."""
    chain = chain_of(
        {
            "middle": [Fail(ContextLengthError)],
            "small": [GOOD],
            "same": [GOOD],
            "unknown": [Fail(ContextLengthError)],
            "large": [GOOD],
        },
        rows={
            "middle": {"context_window": 100_000},
            "small": {"context_window": 8_000},
            "same": {"context_window": 100_000},
            "large": {"context_window": 200_000},
        },
    )
    assert (await chain.router.generate("Why?")).provider == "large"
    assert chain.calls() == {"middle": 1, "small": 0, "same": 0, "unknown": 1, "large": 1}


async def test_too_long_for_everybody_is_the_callers_error() -> None:
    """A text that fits nowhere is the caller's to shorten."""
    chain = chain_of({"one": [Fail(ContextLengthError)], "two": [Fail(ContextLengthError)]})
    with pytest.raises(RequestRejectedError, match="rejected: one: context_length"):
        await chain.router.generate("Why?")


async def test_too_long_for_one_and_trouble_at_another_is_not_the_callers_error() -> None:
    """Where a larger window was out of order only, the text may fit later: 503, not 400."""
    chain = chain_of({"one": [Fail(ContextLengthError)], "two": [Fail(ProviderAuthError)]})
    with pytest.raises(AllProvidersFailedError, match=r"one: context_length .*; two: auth"):
        await chain.router.generate("Why?")


def test_router_is_a_provider() -> None:
    """The chain is an ILLMProvider like any vendor, available when somebody is (S45, S71)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows={"one": {"models": ("b", "c")}})
    assert isinstance(chain.router, ILLMProvider)
    assert chain.router.is_available()
    assert chain.router.get_supported_models() == ["model-1", "b", "c"]
    assert chain.router.redacts_by_target
    with schema({}):
        assert not LLMRouter(ProviderRegistry(settings_of({}))).is_available()
