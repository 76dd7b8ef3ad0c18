"""Providers somebody else wrote, in the chain."""

import asyncio
import gc
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
    ProviderRequestError,
    RateLimitedError,
    RequestRejectedError,
)
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.models.api import AttemptBody
from faultmaven.models.attempt import Usage
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Message


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
    history = [Message("user", "It is slow."), Message("assistant", "What is?")]
    await router.generate("Why?", system="Be brief.")
    await router.generate("The disk.", system="Be brief.", history=history)
    assert [prompt for prompt, _ in provider.asked] == [
        "Be brief.\n\nWhy?",
        "Be brief.\n\nUser: It is slow.\n\nAssistant: What is?\n\nUser: The disk.\n\nAssistant:",
    ]


@pytest.mark.parametrize("claimed", [1.5, -0.2, float("nan"), None, "0.9"])
async def test_impossible_confidence_is_replaced(claimed: float) -> None:
    """A hand-written provider's impossible confidence gives way to its row's (S44)."""

    async def behave(_: object) -> LLMResponse:
        return answer(confidence=claimed)

    router, _ = router_over(hand_written(behave))
    assert (await router.generate("Why?")).confidence == 0.9


@pytest.mark.parametrize(
    ("said", "tokens", "cost"),
    [
        ({"tokens_used": None}, 0, None),
        ({"tokens_used": "12"}, 0, None),
        ({"tokens_used": -1}, 0, None),
        ({"tokens_used": float("nan")}, 0, None),
        ({"tokens_used": 10**400}, 2**53, None),
        ({"tokens_used": 7, "usage": None}, 7, None),
        ({"tokens_used": 7, "usage": {"prompt": 1}}, 7, None),
        ({"tokens_used": 7, "usage": Usage("3", None)}, 7, None),  # type: ignore[arg-type]
        ({"usage": Usage(3, -4)}, 3, None),
        ({"usage": Usage(3, 4)}, 7, None),
        ({"cost_usd": 0.25}, 12, 0.25),
        ({"cost_usd": -0.25}, 12, None),
        ({"cost_usd": float("nan")}, 12, None),
        ({"cost_usd": float("inf")}, 12, None),
        ({"cost_usd": "cheap"}, 12, None),
        ({"finish_reason": None}, 12, None),
        ({"finish_reason": ["stop"]}, 12, None),
        ({"finish_reason": "END_TURN"}, 12, None),
        ({"model": None, "response_time_ms": None}, 12, None),
        ({"response_time_ms": float("-inf"), "provider": 7}, 12, None),
    ],
)
async def test_odd_book_keeping_costs_no_answer(
    said: dict[str, Any], tokens: int, cost: float | None
) -> None:
    """Numbers that are none count as absent, and the answer they came with is served (S46)."""

    async def behave(_: object) -> LLMResponse:
        return answer(**said)

    router, witness = router_over(hand_written(behave))
    response = await router.generate("Why?")
    assert (response.content, response.finish_reason) == ("The disk is full.", "stop")
    assert (response.tokens_used, response.cost_usd) == (tokens, cost)
    assert AttemptBody.of(witness.attempts[0]).outcome == "ok"


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


class PlainError(ProviderRequestError):
    """An error of the author's own, which shows its text in its own way."""

    error_class = "plain"  # type: ignore[assignment]

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)

    def __str__(self) -> str:
        """Show more than the text."""
        return f"plainly: {self.args[0]}"


async def test_its_provider_error_is_cut_and_masked_too() -> None:
    """One of our errors keeps its meaning and loses the secrets its author put in (S69, S92)."""
    said = "key shapeless7secret7value sk-proj-3Zq8WvT5rKx2NmYb7\n" + "x" * 9000

    async def behave(_: object) -> LLMResponse:
        raise RateLimitedError(said, status_code=429, retry_after=1e9, hint=said)

    router, witness = router_over(hand_written(behave))
    with pytest.raises(AllProvidersFailedError) as caught:
        await router.generate("Why?")
    (attempt,) = witness.attempts
    assert (attempt.outcome, attempt.status_code) == ("rate_limited", 429)
    assert attempt.retry_after == 3600
    for shown in (attempt.detail, attempt.hint):
        assert shown is not None
        assert shown.startswith("key [key removed] [openai_key removed] xxx")
        assert len(shown) <= 200
    assert "shapeless7secret7value" not in f"{caught.value} {caught.value.hint} {attempt}"


@pytest.mark.parametrize(("falls_back", "asked"), [(True, ["acme", "two"]), (False, ["acme"])])
async def test_its_own_kind_of_provider_error_is_one_of_ours(
    *, falls_back: bool, asked: list[str]
) -> None:
    """A subclass of an error of ours counts as that, whatever it forgot to set (S92)."""

    async def behave(provider: Any) -> LLMResponse:
        error = PlainError(provider.config.api_key)
        error.falls_back = falls_back
        raise error

    settings = {"ACME_KEY": "shapeless7secret7value", "CHAT_PROVIDER": "acme"}
    acme = row(hand_written(behave), api_key_var="ACME_KEY")
    with schema({"acme": acme, "two": row(hand_written(behave))}):
        registry = ProviderRegistry(settings_of({**settings, "FALLBACK_CHAIN": "two"}))
    with pytest.raises(RequestRejectedError) as caught:
        await LLMRouter(registry).generate("Why?")
    first, *_ = caught.value.attempts
    assert [attempt.provider for attempt in caught.value.attempts] == asked
    assert (first.outcome, first.detail) == ("invalid_request", "plainly: [key removed]")


@pytest.mark.parametrize("odd", [-1, float("nan"), "soon", None])
async def test_its_odd_wait_is_no_wait(odd: Any) -> None:
    """A wait that nobody can wait is as if none had been asked for."""

    async def behave(_: object) -> LLMResponse:
        raise RateLimitedError("slow", status_code="429", retry_after=odd)  # type: ignore[arg-type]

    router, witness = router_over(hand_written(behave))
    with pytest.raises(AllProvidersFailedError):
        await router.generate("Why?")
    (attempt,) = witness.attempts
    assert (attempt.outcome, attempt.status_code) == ("rate_limited", None)
    assert attempt.retry_after is None


async def test_work_that_it_cancels_itself_is_a_failed_attempt() -> None:
    """A cancellation from within is the provider's failure: nobody left (S37, S92)."""

    async def behave(_: object) -> LLMResponse:
        future: asyncio.Future[LLMResponse] = asyncio.get_running_loop().create_future()
        future.cancel()
        return await future

    router, witness = router_over(hand_written(behave))
    with pytest.raises(AllProvidersFailedError):
        await router.generate("Why?")
    assert witness.seen[-1] == ("attempt", "acme", "connection")


class Stubborn:
    """A provider that goes on when it is cancelled, and fails long after nobody waits."""

    def __init__(self) -> None:
        self.entered, self.released = asyncio.Event(), asyncio.Event()
        self.cancellations = 0
        self.ended = asyncio.Event()

    async def behave(self, _: object) -> LLMResponse:
        """Go on until released."""
        self.entered.set()
        try:
            while not self.released.is_set():
                await self._wait()
            raise RuntimeError("late")
        finally:
            self.ended.set()

    async def _wait(self) -> None:
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancellations += 1


async def end_quietly(stubborn: Stubborn) -> None:
    """Check that the abandoned work lives, ends when it can, and nobody complains of it."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    gc.collect()
    stubborn.released.set()
    await asyncio.wait_for(stubborn.ended.wait(), 5)
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)
    assert not complaints
    assert stubborn.cancellations == 1


async def test_its_timeout_holds_even_if_it_swallows_cancellation() -> None:
    """A hand-written provider that cannot be cancelled is left behind at its timeout (S42)."""
    stubborn = Stubborn()
    router, witness = router_over(hand_written(stubborn.behave), timeout=0.05)
    with pytest.raises(AllProvidersFailedError, match="acme: timeout"):
        await asyncio.wait_for(router.generate("Why?"), 5)
    assert witness.seen[-1] == ("attempt", "acme", "timeout")
    await end_quietly(stubborn)


async def test_caller_may_leave_even_if_it_swallows_cancellation() -> None:
    """A caller who leaves is let go at once; the provider is told, and not counted as failed."""
    stubborn = Stubborn()
    router, witness = router_over(hand_written(stubborn.behave))
    task = asyncio.create_task(router.generate("Why?"))
    await stubborn.entered.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done == {task}
    assert task.cancelled()
    assert witness.seen[-1] == ("cancel", "acme")
    await end_quietly(stubborn)


async def test_it_is_cut_off_at_its_timeout() -> None:
    """A hand-written provider that hangs is given up after its row's timeout (S42)."""

    async def behave(_: object) -> LLMResponse:
        await asyncio.Event().wait()
        return answer()

    router, witness = router_over(hand_written(behave), timeout=0.05)
    with pytest.raises(AllProvidersFailedError, match="acme: timeout"):
        await router.generate("Why?")
    assert 40 <= witness.attempts[0].total_ms < 2000
