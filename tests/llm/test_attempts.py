"""What is told of every attempt."""

import pytest

from doubles import Fail, Say, chain_of
from faultmaven.errors import (
    AllProvidersFailedError,
    ProviderAuthError,
    ProviderOverloadedError,
)

GOOD = Say()


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
