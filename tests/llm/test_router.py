"""The chain as a provider: who is asked, how often, and what comes back."""

from typing import Any

import pytest

from doubles import Chain, Fail, Say, chain_of, schema, settings_of
from faultmaven.errors import (
    AllProvidersFailedError,
    ContentFilteredError,
    ContextLengthError,
    ErrorClass,
    InvalidInputError,
    LowConfidenceError,
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
from faultmaven.models.confidence import Signal
from faultmaven.models.interfaces import ILLMProvider
from faultmaven.models.prompt import Message, Prompt, Target

GOOD = Say()
SURE, UNSURE = {"confidence_score": 0.9}, {"confidence_score": 0.6}
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


# --- who is asked ---


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


# --- thresholds ---


@pytest.mark.parametrize(("score", "provider"), [(0.8, "one"), (0.79, "two")])
async def test_threshold_is_eight_tenths(score: float, provider: str) -> None:
    """0.80 is sure enough; 0.79 is passed over while somebody surer is left (S35)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows={"one": {"confidence_score": score}})
    assert (await chain.router.generate("Why?")).provider == provider


async def test_unsure_last_resort_is_delivered_and_flagged() -> None:
    """The last provider's answer of 0.6 is returned and marked, never withheld (S40, C3, C4)."""
    chain = chain_of({"main": [Fail(ProviderAuthError)], "local": [GOOD]}, rows={"local": UNSURE})
    response = await chain.router.generate("Why?")
    assert (response.provider, response.confidence) == ("local", 0.6)
    assert response.assessment is not None
    assert response.assessment.below_threshold
    assert response.assessment.threshold == 0.8
    assert response.stopped_because == "exhausted"


async def test_best_of_the_unsure_is_delivered() -> None:
    """When nobody is sure enough the surest answer comes back, not the last one (S40, C3)."""
    rows = {"one": {"confidence_score": 0.5}, "two": {"confidence_score": 0.7}, "three": UNSURE}
    chain = chain_of({name: [Say(name)] for name in rows}, rows=rows)
    response = await chain.router.generate("Why?")
    assert (response.provider, response.content) == ("two", "two")
    assert response.stopped_because == "exhausted"


async def test_required_confidence_is_an_error_of_its_own() -> None:
    """Answers that are all unsure are a 503 of their own where sureness is required (C4, S40)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows={"one": UNSURE, "two": UNSURE})
    with pytest.raises(
        LowConfidenceError, match=r"scores 0\.60, below the required 0\.80"
    ) as caught:
        await chain.router.generate("Why?", require_confidence=True)
    assert caught.value.status == 503
    assert len(caught.value.attempts) == 2


async def test_required_confidence_that_is_there_is_no_error() -> None:
    """Requiring confidence costs nothing when the answer is sure."""
    chain = chain_of({"one": [GOOD]})
    assert (await chain.router.generate("Why?", require_confidence=True)).provider == "one"


@pytest.mark.parametrize(("threshold", "provider"), [(0, "one"), (0.6, "one"), (0.61, "two")])
async def test_threshold_of_one_request(threshold: float, provider: str) -> None:
    """A request's own threshold overrides the default; 0 accepts everything (S39)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows={"one": UNSURE})
    response = await chain.router.generate("Why?", confidence_threshold=threshold)
    assert response.provider == provider


async def test_documented_routing_call() -> None:
    """The documented `route_request` takes the threshold as its second argument (S35, S39)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows={"one": UNSURE})
    assert (await chain.router.route_request("Why?")).provider == "two"
    assert (await chain.router.route_request("Why?", 0.5)).provider == "one"


@pytest.mark.parametrize("threshold", [1.01, -0.1, float("nan"), float("inf")])
async def test_impossible_threshold_is_rejected(threshold: float) -> None:
    """A threshold outside 0 to 1 is the caller's error and asks nobody (S39)."""
    chain = chain_of({"one": [GOOD]})
    with pytest.raises(InvalidInputError) as caught:
        await chain.router.generate("Why?", confidence_threshold=threshold)
    assert caught.value.field == "confidence_threshold"
    assert chain.calls() == {"one": 0}


async def test_configured_thresholds() -> None:
    """The default threshold and those of single providers come from the settings (S39)."""
    low = chain_of({"one": [GOOD]}, rows={"one": UNSURE}, settings={"CONFIDENCE_THRESHOLD": "0.6"})
    assert (await low.router.generate("Why?")).stopped_because == "threshold_met"
    single = chain_of(
        {"one": [GOOD], "two": [GOOD]},
        rows={"one": UNSURE, "two": SURE},
        settings={"CONFIDENCE_THRESHOLDS": '{"one": 0.5}'},
    )
    assert (await single.router.generate("Why?")).provider == "one"


async def test_provider_with_a_lower_threshold_may_still_settle_it() -> None:
    """An unsure answer does not keep a provider from being asked that needs less to be trusted."""
    chain = chain_of(
        {"one": [GOOD], "local": [GOOD]},
        rows={"one": {"confidence_score": 0.79}, "local": UNSURE},
        settings={"CONFIDENCE_THRESHOLDS": '{"local": 0.5}'},
    )
    response = await chain.router.generate("Why?", require_confidence=True)
    assert (response.provider, response.stopped_because) == ("local", "threshold_met")


async def test_nobody_is_asked_in_vain() -> None:
    """Providers that cannot be expected to beat the best answer are not asked."""
    rows = {"one": {"confidence_score": 0.79}, "two": UNSURE}
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows=rows)
    response = await chain.router.generate("Why?")
    assert (response.provider, response.stopped_because) == ("one", "no_better")
    assert chain.calls() == {"one": 1, "two": 0}


async def test_answer_is_judged_for_itself() -> None:
    """A cut answer falls below the threshold whoever gave it; the next one is asked (S44)."""
    chain = chain_of({"one": [Say(finish_reason="length")], "two": [GOOD]}, rows={"two": SURE})
    response = await chain.router.generate("Why?")
    assert response.provider == "two"
    assert response.attempts[0].confidence == pytest.approx(0.7)
    assert response.attempts[0].next_because == "fallback: low_confidence"


async def test_callers_judgement_enters_the_score() -> None:
    """Signals of whoever knows the question move the score, and are told with it."""

    def assess(text: str, target: Target) -> list[Signal]:
        assert (text, target.provider) == ("The disk is full.", "one")
        return [Signal("evidence", -0.3, "a quote is not in the input")]

    chain = chain_of({"one": [GOOD]})
    response = await chain.router.generate("Why?", assess=assess)
    assert response.confidence == pytest.approx(0.6)
    assert response.assessment is not None
    assert "evidence" in [signal.name for signal in response.assessment.signals]


# --- retries and time ---


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


# --- money ---


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


# --- models ---


def two_with_models() -> Chain:
    """Build a chain whose providers have different models."""
    rows = {
        "one": {"default_model": "one-a", "models": ("one-b",)},
        "two": {"default_model": "two-a", "models": ("two-b",)},
    }
    mapping = '{"one-b": {"two": "two-b"}, "gpt-x": {"one": "one-b"}}'
    return chain_of(
        {"one": [Fail(ProviderAuthError)], "two": [Fail(ProviderAuthError)]},
        rows=rows,
        settings={"MODEL_MAP": mapping},
    )


async def models_asked(chain: Chain, **options: Any) -> list[tuple[str, str]]:
    """Tell which models the chain asks for, in order."""
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate("Why?", **options)
    return [(attempt.provider, attempt.model) for attempt in caught.value.attempts]


async def test_each_provider_has_its_own_model() -> None:
    """Without a wish each provider is asked for its own model (S21)."""
    assert await models_asked(two_with_models()) == [("one", "one-a"), ("two", "two-a")]


async def test_named_model_goes_to_its_own_provider_first() -> None:
    """A named model's provider is asked first; others use their own models after it."""
    asked = await models_asked(two_with_models(), model="two-b")
    assert asked == [("two", "two-b"), ("one", "one-a")]


async def test_stand_in_models() -> None:
    """At fallback a provider uses the model that MODEL_MAP names for it."""
    asked = await models_asked(two_with_models(), model="one-b")
    assert asked == [("one", "one-b"), ("two", "two-b")]


async def test_foreign_name_with_a_stand_in() -> None:
    """A name nobody has is fine where MODEL_MAP says what stands in for it."""
    asked = await models_asked(two_with_models(), model="gpt-x")
    assert asked == [("one", "one-b"), ("two", "two-a")]


async def test_unknown_model_is_the_callers_error() -> None:
    """A model nobody has is rejected: it is never sent to a vendor it does not belong to."""
    chain = two_with_models()
    with pytest.raises(InvalidInputError) as caught:
        await chain.router.generate("Why?", model="gpt-unknown")
    assert caught.value.field == "model"
    assert "gpt-unknown" not in str(caught.value)
    assert chain.calls() == {"one": 0, "two": 0}


async def test_caller_who_names_the_provider_may_name_any_model() -> None:
    """With exactly one provider named, any model of that vendor may be asked for (S15, S17)."""
    asked = await models_asked(two_with_models(), model="brand-new", providers=["two"])
    assert asked == [("two", "brand-new")]


async def test_request_may_narrow_and_reorder() -> None:
    """A request may name the providers to ask, in its own order, also with a model of one."""
    chain = two_with_models()
    assert await models_asked(chain, providers=["two", "one", "two"]) == [
        ("two", "two-a"),
        ("one", "one-a"),
    ]
    assert await models_asked(chain, providers=["one", "two"], model="two-b") == [
        ("one", "one-a"),
        ("two", "two-b"),
    ]


async def test_provider_that_is_not_configured_is_the_callers_error() -> None:
    """A request cannot reach a provider that is not configured; it learns which ones are."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]})
    with pytest.raises(InvalidInputError) as caught:
        await chain.router.generate("Why?", providers=["three"])
    assert caught.value.field == "provider"
    assert caught.value.hint == "Choose from: one, two."


async def test_request_cannot_reach_beyond_privacy() -> None:
    """Under PRIVACY_MODE a request that names another provider is rejected (S20)."""
    chain = chain_of(
        {"local": [GOOD], "cloud": [GOOD]},
        rows={"local": {"local": True}},
        settings={"PRIVACY_MODE": "local_only"},
    )
    with pytest.raises(InvalidInputError):
        await chain.router.generate("Why?", providers=["cloud"])
    assert (await chain.router.generate("Why?")).provider == "local"
    assert chain.calls() == {"local": 1, "cloud": 0}


# --- what is sent ---


async def test_prompt_system_and_history_are_sent_in_order() -> None:
    """System prompt, earlier turns and the question arrive in this order, with every option."""
    chain = chain_of({"one": [GOOD]})
    await chain.router.generate(
        "Why?",
        system="Be brief.",
        history=[Message("user", "Hi"), Message("assistant", "Hello")],
        max_tokens=77,
        temperature=0.5,
        stop=["END"],
    )
    (request,) = chain.classes["one"].asked
    said = [(message.role, message.text) for message in request.messages]
    assert said == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "Why?"),
    ]
    assert (request.max_tokens, request.temperature, request.stop) == (77, 0.5, ("END",))


async def test_prompt_is_written_for_each_target() -> None:
    """A prompt writer is asked for each provider and knows whom it writes for."""

    def render(target: Target) -> Prompt:
        return Prompt((Message("user", f"for {target.provider}"),), {"type": "object"})

    chain = chain_of({"one": [Fail(ProviderAuthError)], "two": [GOOD]})
    await chain.router.generate("unused", render=render)
    for name in ("one", "two"):
        (request,) = chain.classes[name].asked
        assert request.messages[-1].text == f"for {name}"
        assert request.response_schema == {"type": "object"}


@pytest.mark.parametrize(("asked", "sent"), [(None, 0.0), (0.7, 0.7)])
async def test_temperature_of_the_prompt_yields_to_the_callers(
    asked: float | None, sent: float
) -> None:
    """A prompt may say which temperature suits it; a caller who names one is obeyed."""
    prompt = Prompt((Message("user", "Why?"),), temperature=0.0)
    chain = chain_of({"one": [GOOD]})
    await chain.router.generate("Why?", render=lambda _target: prompt, temperature=asked)
    assert chain.classes["one"].asked[0].temperature == sent


# --- what is told ---


async def test_attempts_tell_the_whole_story() -> None:
    """Each attempt is recorded with class, reason, times, tokens and why another followed."""
    refusal = Fail(ProviderAuthError, seconds=0.5, message="HTTP 401", fields={"status_code": 401})
    chain = chain_of({"one": [refusal], "two": [Say(seconds=2)]})
    response = await chain.router.generate("Why?")
    first, second = response.attempts
    assert (first.outcome, first.detail, first.status_code) == ("auth", "HTTP 401", 401)
    assert first.total_ms == pytest.approx(500)
    assert first.next_because == "fallback: auth"
    assert (second.outcome, second.confidence, second.usage.total) == ("ok", 0.9, 7)
    assert second.total_ms == pytest.approx(2000)
    assert second.next_because is None
    assert response.tokens_used == 7
    assert response.response_time_ms == 2500


async def test_observers_are_told_as_it_happens() -> None:
    """Observers hear of every start, attempt, fallback and answer, in order (S85)."""
    chain = chain_of(
        {"one": [Fail(ProviderOverloadedError)], "two": [GOOD]}, rows={"one": {"max_retries": 1}}
    )
    await chain.router.generate("Why?")
    assert chain.witness.seen == [
        ("start", "one"),
        ("attempt", "one", "overloaded"),
        ("start", "one"),
        ("attempt", "one", "overloaded"),
        ("fallback", "one", "two", "overloaded"),
        ("start", "two"),
        ("attempt", "two", "ok"),
        ("answer", "two"),
    ]


async def test_nothing_is_answered_when_all_failed() -> None:
    """Observers hear of no answer where there was none."""
    chain = chain_of({"one": [Fail(ProviderAuthError)]})
    with pytest.raises(AllProvidersFailedError):
        await chain.router.generate("Why?")
    assert chain.witness.seen == [("start", "one"), ("attempt", "one", "auth")]


# --- those who asked not to be asked ---


async def test_limited_provider_is_left_alone_until_it_is_back() -> None:
    """Who said when to come back is not asked before that, and is asked again after it (S107)."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD]})
    assert (await chain.router.generate("first")).provider == "two"
    assert (await chain.router.generate("second")).provider == "two"
    assert chain.calls() == {"one": 1, "two": 2}
    chain.time.now += 30
    assert (await chain.router.generate("third")).provider == "one"


async def test_limited_provider_is_the_reserve() -> None:
    """Who is set aside is asked after all when everybody else fails: no instant failure."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD, Fail(ProviderAuthError)]})
    await chain.router.generate("first")
    response = await chain.router.generate("second")
    assert response.provider == "one"
    assert [attempt.provider for attempt in response.attempts] == ["two", "one"]
    third = await chain.router.generate("third")
    assert [attempt.provider for attempt in third.attempts] == ["one"]


async def test_reserve_is_not_bothered_for_a_better_answer() -> None:
    """Who is set aside is not asked merely because an answer could be surer."""
    busy = Fail(RateLimitedError, fields={"retry_after": 30})
    chain = chain_of({"one": [busy, GOOD], "two": [GOOD]}, rows={"two": UNSURE})
    await chain.router.generate("first")
    response = await chain.router.generate("second")
    assert (response.provider, response.stopped_because) == ("two", "exhausted")
    assert chain.calls() == {"one": 1, "two": 2}


async def test_all_set_aside_asks_who_is_due_first() -> None:
    """When everybody is set aside the one that is due first is asked, and only that one."""
    chain = chain_of(
        {
            "one": [Fail(RateLimitedError, fields={"retry_after": 90}), GOOD],
            "two": [Fail(RateLimitedError, fields={"retry_after": 70}), GOOD],
        }
    )
    with pytest.raises(AllProvidersFailedError):
        await chain.router.generate("first")
    assert (await chain.router.generate("second")).provider == "two"
    assert chain.calls() == {"one": 1, "two": 2}


async def test_only_one_of_those_set_aside_is_bothered() -> None:
    """When who is due first fails again, the others that asked for rest are left alone."""
    chain = chain_of(
        {
            "one": [Fail(RateLimitedError, fields={"retry_after": 90}), GOOD],
            "two": [Fail(RateLimitedError, fields={"retry_after": 70}), Fail(ProviderAuthError)],
        }
    )
    for _ in range(2):
        with pytest.raises(AllProvidersFailedError):
            await chain.router.generate("Why?")
    assert chain.calls() == {"one": 1, "two": 2}


async def test_provider_that_is_not_ready_is_passed_over() -> None:
    """A local model that is still loading says so, and the next provider is asked meanwhile."""
    chain = chain_of({"local": [GOOD], "two": [GOOD]}, rows={"local": {"local": True}})
    chain.registry.get_config("local").not_ready = lambda: "the model is still loading"
    response = await chain.router.generate("Why?")
    assert response.provider == "two"
    assert response.attempts[0].error_class is ErrorClass.OVERLOADED
    assert response.attempts[0].detail == "the model is still loading"
    assert chain.calls() == {"local": 0, "two": 1}


# --- the router as a provider ---


def test_router_is_a_provider() -> None:
    """The chain is an ILLMProvider like any vendor, available when somebody is (S45, S71)."""
    chain = chain_of({"one": [GOOD], "two": [GOOD]}, rows={"one": {"models": ("b", "c")}})
    assert isinstance(chain.router, ILLMProvider)
    assert chain.router.is_available()
    assert chain.router.get_supported_models() == ["model-1", "b", "c"]
    assert chain.router.redacts_by_target
    with schema({}):
        assert not LLMRouter(ProviderRegistry(settings_of({}))).is_available()
