"""The walk along the chain, whatever the providers do."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import (
    Chain,
    Fail,
    Play,
    Say,
    Witness,
    chain_of,
    hand_written,
    row,
    schema,
    settings_of,
)
from faultmaven.errors import (
    AllProvidersFailedError,
    ChainError,
    ContentFilteredError,
    ContextLengthError,
    ModelNotFoundError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderOverloadedError,
    ProviderProtocolError,
    ProviderRequestError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.resilience.gate import CooldownGate
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.models.interfaces import LLMResponse

KINDS = (
    ProviderConnectionError,
    ProviderTimeoutError,
    ProviderOverloadedError,
    RateLimitedError,
    QuotaExceededError,
    ProviderAuthError,
    ModelNotFoundError,
    ContextLengthError,
    ContentFilteredError,
    ProviderRequestError,
    ProviderProtocolError,
)
seconds = st.sampled_from([0.0, 0.1, 3.0, 29.0, 31.0, 500.0])
failures = st.builds(
    lambda kind, took, after, prefers: Fail(
        kind, seconds=took, fields={"retry_after": after}, prefers_next=prefers
    ),
    st.sampled_from(KINDS),
    seconds,
    st.none() | st.sampled_from([0.0, 0.5, 5.0, 100.0]),
    st.booleans(),
)
answers = st.builds(
    Say,
    seconds=seconds,
    finish_reason=st.sampled_from(["stop", "length", "content_filter"]),
    prior=st.none() | st.floats(0, 1),
    cost_usd=st.none() | st.floats(0, 0.1),
)
scripts = st.lists(failures | answers, min_size=1, max_size=6)


@st.composite
def chains(draw: st.DrawFn) -> tuple[dict[str, list[Play]], dict[str, dict[str, Any]]]:
    """Draw up to five providers with their behaviour and their rows."""
    names = [f"p{number}" for number in range(draw(st.integers(1, 5)))]
    rows = {
        name: {
            "max_retries": draw(st.integers(0, 4)),
            "confidence_score": draw(st.sampled_from([0.0, 0.3, 0.6, 0.79, 0.8, 0.9, 1.0])),
            "timeout": draw(st.sampled_from([1, 30, 60])),
        }
        for name in names
    }
    return {name: draw(scripts) for name in names}, rows


@given(
    given=chains(),
    requests=st.integers(1, 3),
    options=st.fixed_dictionaries(
        {},
        optional={
            "confidence_threshold": st.floats(0, 1),
            "require_confidence": st.booleans(),
            "max_cost_usd": st.floats(0, 0.2),
            "timeout": st.sampled_from([0.5, 10.0, 60.0]),
        },
    ),
)
async def test_every_walk_is_sound(
    given: tuple[dict[str, list[Play]], dict[str, dict[str, Any]]],
    requests: int,
    options: dict[str, Any],
) -> None:
    """However the providers behave, each request ends in time, is accounted for, and is fair.

    It asks nobody more often than allowed, records every try, and returns the surest answer
    or the one that met its threshold (S31, S36, S38, S41, S42).
    """
    scripts_, rows = given
    chain = chain_of(scripts_, rows=rows)
    for _ in range(requests):
        chain.witness.seen.clear()
        before, started = sum(chain.calls().values()), chain.time.now
        try:
            response = await chain.router.generate("Why?", **options)
        except ChainError as error:
            attempts = error.attempts
            assert options.get("require_confidence") or not any(a.succeeded for a in attempts)
        else:
            attempts = response.attempts
            check_answer(response)
        asked = sum(chain.calls().values()) - before
        assert len(attempts) == asked
        assert asked <= sum(1 + fields["max_retries"] for fields in rows.values())
        assert chain.time.now - started <= options.get("timeout", 60) + 1e-6
        check_record(chain, attempts)


def check_answer(response: LLMResponse) -> None:
    """Check that nobody else's answer should have been returned."""
    assert response.assessment is not None
    given = [attempt for attempt in response.attempts if attempt.succeeded]
    assert given
    if response.stopped_because == "threshold_met":
        assert not response.assessment.below_threshold
        assert given[-1].provider == response.provider
    else:
        assert response.assessment.below_threshold
        assert response.confidence == max(attempt.confidence or 0.0 for attempt in given)


def check_record(chain: Chain, attempts: Any) -> None:
    """Check that attempts, their reasons and what observers saw tell the same story."""
    starts = [entry[1] for entry in chain.witness.seen if entry[0] == "start"]
    ends = [entry[1:] for entry in chain.witness.seen if entry[0] == "attempt"]
    assert starts == [attempt.provider for attempt in attempts]
    assert ends == [(attempt.provider, attempt.outcome) for attempt in attempts]
    for attempt, following in zip(attempts, [*attempts[1:], None], strict=True):
        if following is None:
            assert attempt.next_because is None
        elif following.provider == attempt.provider:
            assert (attempt.next_because, following.number) == ("retry", attempt.number + 1)
        else:
            assert attempt.next_because is not None
            assert attempt.next_because.startswith("fallback: ")
            assert following.number == 1


# --- providers somebody else wrote ---


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
    assert 40 <= witness.attempts[0].total_ms <= 250


# --- cancellation ---


async def test_leaving_caller_is_nobodys_failure() -> None:
    """When the caller leaves, no attempt fails, nobody is set aside, and observers are told."""
    entered = asyncio.Event()

    async def behave(_: object) -> LLMResponse:
        entered.set()
        await asyncio.Event().wait()
        return answer()

    class Watching(CooldownGate):
        """Notes everything it is told."""

        def __init__(self) -> None:
            super().__init__()
            self.told: list[str] = []

        def failed(self, provider: str, error: object) -> None:
            self.told.append(f"{provider} {error}")

        def succeeded(self, provider: str) -> None:
            self.told.append(provider)

    witness, gate = Witness(), Watching()
    with schema({"one": row(hand_written(behave)), "two": row(hand_written(behave))}):
        registry = ProviderRegistry(settings_of({"CHAT_PROVIDER": "one", "FALLBACK_CHAIN": "two"}))
    router = LLMRouter(registry, observers=[witness], gate=gate)
    task = asyncio.create_task(router.generate("Why?"))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert witness.seen == [("start", "one"), ("cancel", "one")]
    assert gate.told == []


async def test_leaving_caller_ends_a_wait() -> None:
    """A caller who leaves while the chain waits for a retry is let go at once."""
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    chain = chain_of({"one": [Fail(ProviderOverloadedError)]})
    router = LLMRouter(chain.registry, observers=[chain.witness], sleep=sleep)
    task = asyncio.create_task(router.generate("Why?"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chain.witness.seen == [("start", "one"), ("attempt", "one", "overloaded")]
