"""The walk along the chain, whatever the providers do."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doubles import (
    Chain,
    Fail,
    Play,
    Say,
    chain_of,
)
from faultmaven.errors import (
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
