"""Who is set aside, and for how long."""

import pytest

from doubles import FakeTime
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
from faultmaven.infrastructure.llm.resilience.gate import CooldownGate


@pytest.fixture
def time() -> FakeTime:
    """Give a clock that stands still."""
    return FakeTime()


@pytest.fixture
def gate(time: FakeTime) -> CooldownGate:
    """Give a gate that has seen nothing."""
    return CooldownGate(clock=time.clock)


def test_open_for_strangers(gate: CooldownGate) -> None:
    """A provider nobody has tried may be asked at once."""
    assert gate.not_before("openai") == 0


def test_rate_limit_sets_aside_until_the_time_it_names(gate: CooldownGate, time: FakeTime) -> None:
    """A provider that says when to come back is left alone until then, and no longer (S107)."""
    gate.failed("openai", RateLimitedError("slow down", retry_after=30))
    assert gate.not_before("openai") == 30
    time.now += 29
    assert gate.not_before("openai") == 1
    time.now += 1
    assert gate.not_before("openai") == 0


def test_rate_limit_without_a_time_sets_nobody_aside(gate: CooldownGate) -> None:
    """A rate limit that names no time is not guessed at."""
    gate.failed("openai", RateLimitedError("slow down"))
    assert gate.not_before("openai") == 0


def test_empty_purse_sets_aside_for_minutes(gate: CooldownGate) -> None:
    """A provider out of money is left alone for minutes, or for as long as it says (S107)."""
    gate.failed("openai", QuotaExceededError("no money"))
    gate.failed("gemini", QuotaExceededError("no money", retry_after=60))
    assert gate.not_before("openai") == 300
    assert gate.not_before("gemini") == 60


def test_nobody_is_set_aside_for_longer_than_an_hour(gate: CooldownGate) -> None:
    """A provider's word about its return is not taken for longer than an hour."""
    gate.failed("openai", RateLimitedError("slow down", retry_after=86_400))
    assert gate.not_before("openai") == 3600


def test_success_ends_it(gate: CooldownGate) -> None:
    """An answer proves that the provider may be asked again."""
    gate.failed("openai", RateLimitedError("slow down", retry_after=30))
    gate.succeeded("openai")
    assert gate.not_before("openai") == 0


def test_each_provider_on_its_own(gate: CooldownGate) -> None:
    """One provider's limit does not concern another."""
    gate.failed("openai", RateLimitedError("slow down", retry_after=30))
    assert gate.not_before("fireworks") == 0


@pytest.mark.parametrize(
    "kind",
    [
        ProviderConnectionError,
        ProviderTimeoutError,
        ProviderOverloadedError,
        ProviderAuthError,
        ModelNotFoundError,
        ContextLengthError,
        ContentFilteredError,
        ProviderRequestError,
        ProviderProtocolError,
    ],
)
def test_other_failures_set_nobody_aside(gate: CooldownGate, kind: type[ProviderError]) -> None:
    """Only pace and money set a provider aside; other failures are for a breaker to judge."""
    gate.failed("openai", kind("it went wrong", retry_after=30))
    assert gate.not_before("openai") == 0
