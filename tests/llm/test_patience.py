"""Retries, deadlines and money: how long and how much is worth it."""

import itertools

import pytest

from doubles import Fail, Say, chain_of
from faultmaven.errors import (
    AllProvidersFailedError,
    InvalidInputError,
    ProviderAuthError,
    ProviderOverloadedError,
    ProviderTimeoutError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.observability.health import HealthTracker

GOOD = Say()
SURE, UNSURE = {"confidence_score": 0.9}, {"confidence_score": 0.6}


async def test_passing_trouble_is_retried() -> None:
    """Trouble that passes costs a second call to the same provider, nothing else (S41)."""
    chain = chain_of({"one": [Fail(ProviderOverloadedError), GOOD], "two": [GOOD]})
    response = await chain.router.generate("Why?")
    assert response.provider == "one"
    assert chain.calls() == {"one": 2, "two": 0}
    first, second = response.attempts
    assert (first.number, first.next_because, first.queue_ms) == (1, "retry", 0)
    assert (second.number, second.next_because) == (2, None)
    assert second.queue_ms == pytest.approx(125)
    assert chain.time.slept == [0.125]


@pytest.mark.parametrize(("retries", "calls"), [(0, 1), (2, 3), (3, 4)])
async def test_retries_are_limited_by_the_row(retries: int, calls: int) -> None:
    """After max_retries retries the next provider is asked (S41)."""
    chain = chain_of(
        {"one": [Fail(ProviderOverloadedError)], "two": [GOOD]},
        rows={"one": {"max_retries": retries}},
    )
    assert (await chain.router.generate("Why?")).provider == "two"
    assert chain.calls() == {"one": calls, "two": 1}


async def test_short_wait_that_was_asked_for_is_taken() -> None:
    """A provider that asks for a short wait gets exactly that (S107)."""
    busy = Fail(RateLimitedError, fields={"retry_after": 1.5})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD]})
    assert (await chain.router.generate("Why?")).provider == "one"
    assert chain.time.slept == [1.5]


async def test_long_wait_means_the_next_provider() -> None:
    """A provider that asks for a long wait is passed over while another is left (S107)."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD]})
    response = await chain.router.generate("Why?")
    assert (response.provider, chain.time.slept) == ("two", [])
    assert response.attempts[0].retry_after == 30
    assert response.attempts[0].next_because == "fallback: rate_limited"


async def test_long_wait_is_taken_for_want_of_others() -> None:
    """The only provider is waited for as long as the deadline allows."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD]})
    assert (await chain.router.generate("Why?")).provider == "one"
    assert chain.time.slept == [30]


async def test_each_attempt_is_bounded_by_row_and_deadline() -> None:
    """An attempt gets its row's timeout, or what is left of the deadline if that is less (S42)."""
    chain = chain_of(
        {"one": [Say(seconds=100)], "two": [Say(seconds=100)], "three": [GOOD]},
        rows={"one": {"timeout": 10}, "two": {"timeout": 30}, "three": {"timeout": 30}},
        settings={"REQUEST_TIMEOUT": "45"},
    )
    response = await chain.router.generate("Why?")
    assert response.provider == "three"
    assert [chain.classes[name].timeouts for name in chain.classes] == [[10], [30], [5]]
    assert response.response_time_ms == 40_000
    assert [attempt.total_ms for attempt in response.attempts] == pytest.approx([10_000, 30_000, 0])


async def test_nobody_is_asked_after_the_deadline() -> None:
    """When the time is up the search ends, however many providers are left (S42)."""
    chain = chain_of(
        {"one": [Say(seconds=100)], "two": [GOOD]},
        rows={"one": {"timeout": 100}},
        settings={"REQUEST_TIMEOUT": "20"},
    )
    with pytest.raises(AllProvidersFailedError, match="one: timeout"):
        await chain.router.generate("Why?")
    assert chain.calls() == {"one": 1, "two": 0}
    assert chain.time.now == 1020


async def test_deadline_returns_what_there_is() -> None:
    """An unsure answer is returned when the time for a better one is up."""
    chain = chain_of(
        {"one": [Say(seconds=20)], "two": [GOOD]},
        rows={"one": UNSURE},
        settings={"REQUEST_TIMEOUT": "20"},
    )
    response = await chain.router.generate("Why?")
    assert (response.provider, response.stopped_because) == ("one", "deadline")


async def test_deadline_at_the_last_provider_is_told() -> None:
    """A search that ends because the time is up says so, also where nobody is left (S42)."""
    chain = chain_of(
        {"one": [GOOD], "two": [Say(seconds=100)]},
        rows={"one": UNSURE},
        settings={"REQUEST_TIMEOUT": "20"},
    )
    response = await chain.router.generate("Why?")
    assert (response.provider, response.stopped_because) == ("one", "deadline")


async def test_time_that_is_up_before_the_first_question_asks_nobody() -> None:
    """Without any time left nobody is asked, and the caller learns why (S42)."""
    ticks = itertools.count()
    chain = chain_of({"one": [GOOD]})
    router = LLMRouter(chain.registry, observers=[chain.witness], clock=lambda: next(ticks))
    with pytest.raises(AllProvidersFailedError, match="the time was up") as caught:
        await router.generate("Why?", timeout=0.5)
    assert caught.value.attempts == ()
    assert chain.calls() == {"one": 0}
    assert chain.witness.seen == []


async def test_time_that_is_up_after_a_wait_asks_nobody_again() -> None:
    """A wait that took longer than meant leaves no attempt without time (S41, S42)."""
    chain = chain_of({"one": [Fail(ProviderOverloadedError)]})

    async def oversleep(_seconds: float) -> None:
        chain.time.now += 60

    router = LLMRouter(
        chain.registry, observers=[chain.witness], clock=chain.time.clock, sleep=oversleep
    )
    with pytest.raises(AllProvidersFailedError, match="one: overloaded") as caught:
        await router.generate("Why?")
    assert [attempt.next_because for attempt in caught.value.attempts] == [None]
    assert chain.calls() == {"one": 1}


@pytest.mark.parametrize(
    ("given", "row_timeout", "cut_short"),
    [(0.001, 30, True), (9.9, 30, True), (10, 30, False), (0.5, 0.4, False), (60, 30, False)],
)
async def test_hasty_caller_is_told_from_a_slow_provider(
    given: float, row_timeout: float, *, cut_short: bool
) -> None:
    """A failure is marked where the caller gave nobody the time to answer, and only there (S42)."""
    chain = chain_of({"one": [Say(seconds=100)]}, rows={"one": {"timeout": row_timeout}})
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?", timeout=given)
    (attempt,) = caught.value.attempts
    assert (attempt.outcome, attempt.cut_short) == ("timeout", cut_short)


async def test_a_short_service_limit_still_shows_who_hangs() -> None:
    """Where the service itself gives little time, using it up counts against the provider."""
    chain = chain_of({"one": [Say(seconds=100)]}, settings={"REQUEST_TIMEOUT": "3"})
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?")
    assert [attempt.cut_short for attempt in caught.value.attempts] == [False]


@pytest.mark.parametrize(
    "failure", [Fail(ProviderTimeoutError, fields={"status_code": 504}), Fail(ProviderAuthError)]
)
async def test_a_vendors_own_failure_is_not_the_callers_haste(failure: Fail) -> None:
    """What a vendor says itself counts, however little time it was given."""
    chain = chain_of({"one": [failure]})
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?", timeout=0.1)
    assert [attempt.cut_short for attempt in caught.value.attempts] == [False]


async def test_hasty_callers_take_no_provider_down() -> None:
    """However many callers leave no time, the provider's health is as it was (S80)."""
    chain = chain_of({"one": [GOOD, *[Say(seconds=2)] * 5]})
    tracker = HealthTracker(chain.registry)
    router = LLMRouter(
        chain.registry, observers=[tracker], clock=chain.time.clock, sleep=chain.time.sleep
    )
    await router.generate("Why?")
    for _ in range(5):
        with pytest.raises(AllProvidersFailedError):
            await router.generate("Why?", timeout=0.001)
    assert tracker.snapshot()["one"].state == "healthy"
    assert tracker.snapshot()["one"].consecutive_failures == 0


@pytest.mark.parametrize(("asked", "got"), [(5, 5), (None, 20), (500, 20)])
async def test_caller_may_ask_for_less_time_only(asked: float | None, got: float) -> None:
    """A caller may shorten the service's own deadline, never lengthen it (S42)."""
    chain = chain_of({"one": [GOOD]}, settings={"REQUEST_TIMEOUT": "20"})
    await chain.router.generate("Why?", timeout=asked)
    assert chain.classes["one"].timeouts == [got]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
async def test_no_time_at_all_is_the_callers_error(seconds: float) -> None:
    """A deadline that has passed before the question is rejected, and nobody is asked."""
    chain = chain_of({"one": [GOOD]})
    with pytest.raises(InvalidInputError) as caught:
        await chain.router.generate("Why?", timeout=seconds)
    assert caught.value.field == "timeout"
    assert chain.calls() == {"one": 0}


async def test_spent_budget_ends_the_search() -> None:
    """Once the money is spent nobody else is asked; the best answer so far is returned."""
    chain = chain_of(
        {"one": [Say(cost_usd=0.02)], "two": [GOOD]}, rows={"one": UNSURE, "two": SURE}
    )
    response = await chain.router.generate("Why?", max_cost_usd=0.02)
    assert (response.provider, response.stopped_because) == ("one", "budget")
    assert response.cost_usd == 0.02
    assert chain.calls() == {"one": 1, "two": 0}


async def test_money_that_is_left_is_no_obstacle() -> None:
    """Below the budget the chain goes on, and the response tells the sum of all attempts."""
    chain = chain_of(
        {"one": [Say(cost_usd=0.02)], "two": [Say(cost_usd=0.01)]}, rows={"one": UNSURE}
    )
    response = await chain.router.generate("Why?", max_cost_usd=0.03)
    assert response.provider == "two"
    assert response.cost_usd == pytest.approx(0.03)


async def test_budget_of_nothing_still_allows_what_is_free() -> None:
    """A budget of 0 is not spent by failures that cost nothing."""
    chain = chain_of({"one": [Fail(ProviderAuthError)], "two": [GOOD]})
    assert (await chain.router.generate("Why?", max_cost_usd=0)).provider == "two"


async def test_unknown_cost_is_told_as_unknown() -> None:
    """Where no price is known the response does not claim that it was free."""
    assert (await chain_of({"one": [GOOD]}).router.generate("Why?")).cost_usd is None
