"""How sure an answer must be, and who is asked when it is not."""

import pytest

from doubles import Fail, Say, chain_of
from faultmaven.errors import (
    InvalidInputError,
    LowConfidenceError,
    ProviderAuthError,
)
from faultmaven.models.confidence import Signal
from faultmaven.models.prompt import Target

GOOD = Say()
SURE, UNSURE = {"confidence_score": 0.9}, {"confidence_score": 0.6}


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
    rows = {"one": {"confidence_score": 0.79}, "two": {"confidence_score": 0.58}}
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
