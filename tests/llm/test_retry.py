"""When asking the same provider again is worth its wait."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import (
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
)
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy

RETRYABLE = (
    ProviderConnectionError,
    ProviderOverloadedError,
    RateLimitedError,
    ProviderProtocolError,
)
FINAL = (
    ProviderTimeoutError,
    QuotaExceededError,
    ProviderAuthError,
    ModelNotFoundError,
    ContextLengthError,
    ContentFilteredError,
    ProviderRequestError,
)


def wait(
    error: ProviderError, policy: RetryPolicy | None = None, **situation: object
) -> float | None:
    """Ask the policy in the most favourable situation, changed as told."""
    usual = {"retries_left": 3, "tries": 1, "time_left": 60.0, "has_next": False}
    chosen = policy or RetryPolicy(chance=lambda: 0.5)
    return chosen.wait_before(error, **usual | situation)  # type: ignore[arg-type] # the situation is typed by the tests


@pytest.mark.parametrize("kind", RETRYABLE)
def test_passing_failures_are_retried(kind: type[ProviderError]) -> None:
    """Connection, overload, pace and a garbled answer are worth another try (S41)."""
    assert wait(kind("it went wrong")) == pytest.approx(0.125)


@pytest.mark.parametrize("kind", FINAL)
def test_lasting_failures_are_not_retried(kind: type[ProviderError]) -> None:
    """Asking again mends no wrong key, wrong request or spent timeout (S41, S106)."""
    assert wait(kind("it went wrong", retry_after=1)) is None


def test_no_retry_beyond_the_limit() -> None:
    """A provider without retries left is not asked again (S41)."""
    assert wait(ProviderOverloadedError("busy"), retries_left=0) is None


def test_garbled_answer_is_retried_once() -> None:
    """A second garbled answer in a row is the provider's way, not an accident."""
    assert wait(ProviderProtocolError("no JSON"), tries=1) is not None
    assert wait(ProviderProtocolError("no JSON"), tries=2) is None


def test_closed_port_is_not_asked_again_while_others_are_left() -> None:
    """Nobody listens a moment later either: the next provider is the better bet."""
    refused = ProviderConnectionError("refused")
    refused.prefers_next = True
    assert wait(refused, has_next=True) is None
    assert wait(refused, has_next=False) is not None


def test_backoff_doubles_up_to_its_cap() -> None:
    """Without jitter the waits are 0.25, 0.5, 1, 2, 4, 8 and then always 8 seconds."""
    policy = RetryPolicy(chance=lambda: 1.0)
    waits = [wait(ProviderOverloadedError("busy"), policy, tries=tries) for tries in range(1, 9)]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 8, 8]


def test_named_wait_is_obeyed_exactly() -> None:
    """A provider that names a wait gets it, without jitter (S107)."""
    assert wait(RateLimitedError("slow down", retry_after=1.5), has_next=True) == 1.5
    assert wait(ProviderOverloadedError("loading", retry_after=20)) == 20


def test_long_wait_means_the_next_provider() -> None:
    """While another provider is left nobody waits longer than the policy's patience."""
    error = RateLimitedError("slow down", retry_after=5)
    assert wait(error, has_next=True) is None
    assert wait(error, RetryPolicy(patience=6), has_next=True) == 5


def test_wait_beyond_the_deadline_is_useless() -> None:
    """A retry that could only start after the deadline does not happen."""
    error = RateLimitedError("slow down", retry_after=5)
    assert wait(error, time_left=5) is None
    assert wait(error, time_left=5.01) == 5


def test_short_wait_beyond_the_deadline_is_useless_too() -> None:
    """The deadline counts also where the wait is within the policy's patience."""
    error = RateLimitedError("slow down", retry_after=1.5)
    assert wait(error, time_left=1, has_next=True) is None
    assert wait(error, time_left=1.6, has_next=True) == 1.5


errors = st.builds(
    lambda kind, after: kind("it went wrong", retry_after=after),
    st.sampled_from(RETRYABLE + FINAL),
    st.none() | st.floats(0, 1e6),
)


@given(
    error=errors,
    retries_left=st.integers(-1, 10),
    tries=st.integers(1, 1000),
    time_left=st.floats(0, 3600),
    has_next=st.booleans(),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_every_wait_is_within_bounds(
    error: ProviderError,
    *,
    retries_left: int,
    tries: int,
    time_left: float,
    has_next: bool,
    chance: float,
) -> None:
    """A wait is never longer than the time left, and only where a retry is allowed at all."""
    policy = RetryPolicy(chance=lambda: chance)
    seconds = policy.wait_before(
        error, retries_left=retries_left, tries=tries, time_left=time_left, has_next=has_next
    )
    if seconds is None:
        return
    assert error.retryable
    assert retries_left >= 1
    assert tries <= error.retry_limit
    assert 0 <= seconds < time_left
    if has_next:
        assert seconds < policy.patience
    if error.retry_after is not None:
        assert seconds == error.retry_after
    else:
        assert seconds <= policy.cap


def test_jitter_spreads_the_waits() -> None:
    """Waits are drawn from the whole interval, so that many clients do not return together."""
    draws: Iterator[float] = iter([0.0, 0.25, 0.75, 0.999])
    policy = RetryPolicy(base=8, chance=lambda: next(draws))
    waits = [wait(ProviderOverloadedError("busy"), policy) for _ in range(4)]
    assert waits == [0, 2, 6, pytest.approx(7.992)]
