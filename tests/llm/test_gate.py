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
from faultmaven.infrastructure.llm.resilience.breaker import BreakerState
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate


@pytest.fixture
def time() -> FakeTime:
    """Give a clock that stands still."""
    return FakeTime()


@pytest.fixture
def gate(time: FakeTime) -> ProviderGate:
    """Give a gate that has seen nothing."""
    return ProviderGate(clock=time.clock)


def _fail(gate: ProviderGate, provider: str, error: ProviderError) -> None:
    entry = gate.enter(provider, "m", force=True)
    assert entry is not None
    entry.failed(error)


def _succeed(gate: ProviderGate, provider: str) -> None:
    entry = gate.enter(provider, "m", force=True)
    assert entry is not None
    entry.succeeded()


def test_open_for_strangers(gate: ProviderGate) -> None:
    """A provider nobody has tried may be asked at once."""
    assert gate.wait("openai", "m") == 0


def test_rate_limit_sets_aside_until_the_time_it_names(gate: ProviderGate, time: FakeTime) -> None:
    """A provider that says when to come back is left alone until then, and no longer (S107)."""
    _fail(gate, "openai", RateLimitedError("slow down", retry_after=30))
    assert gate.wait("openai", "m") == 30
    time.now += 29
    assert gate.wait("openai", "m") == 1
    time.now += 1
    assert gate.wait("openai", "m") == 0


def test_rate_limit_without_a_time_sets_nobody_aside(gate: ProviderGate) -> None:
    """A rate limit that names no time is not guessed at."""
    _fail(gate, "openai", RateLimitedError("slow down"))
    assert gate.wait("openai", "m") == 0


def test_empty_purse_sets_aside_for_minutes(gate: ProviderGate) -> None:
    """A provider out of money is left alone for minutes, or for as long as it says (S107)."""
    _fail(gate, "openai", QuotaExceededError("no money"))
    _fail(gate, "gemini", QuotaExceededError("no money", retry_after=60))
    assert gate.wait("openai", "m") == 300
    assert gate.wait("gemini", "m") == 60


def test_nobody_is_set_aside_for_longer_than_an_hour(gate: ProviderGate) -> None:
    """A provider's word about its return is not taken for longer than an hour."""
    _fail(gate, "openai", RateLimitedError("slow down", retry_after=86_400))
    assert gate.wait("openai", "m") == 3600


def test_success_ends_it(gate: ProviderGate) -> None:
    """An answer proves that the provider may be asked again."""
    _fail(gate, "openai", RateLimitedError("slow down", retry_after=30))
    _succeed(gate, "openai")
    assert gate.wait("openai", "m") == 0


def test_each_provider_on_its_own(gate: ProviderGate) -> None:
    """One provider's limit does not concern another."""
    _fail(gate, "openai", RateLimitedError("slow down", retry_after=30))
    assert gate.wait("fireworks", "m") == 0


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
def test_one_other_failure_sets_nobody_aside(gate: ProviderGate, kind: type[ProviderError]) -> None:
    """Only pace and money set a provider aside at once; the rest is for the breaker to judge."""
    _fail(gate, "openai", kind("it went wrong", retry_after=30))
    assert gate.wait("openai", "m") == 0


_COUNTED = [
    ProviderConnectionError,
    ProviderTimeoutError,
    ProviderOverloadedError,
    ProviderProtocolError,
]


@pytest.mark.parametrize("kind", _COUNTED)
def test_failures_of_the_provider_open_its_breaker(
    gate: ProviderGate, kind: type[ProviderError]
) -> None:
    """After five of them nobody is let through, except for want of anybody else."""
    for _ in range(5):
        _fail(gate, "openai", kind("it went wrong"))
    assert gate.enter("openai", "m") is None
    assert 0 < gate.wait("openai", "m") <= 1
    assert gate.states("openai") is BreakerState.OPEN
    assert gate.wait("openai", "another") == 0, "a model each"


@pytest.mark.parametrize(
    "kind",
    [
        RateLimitedError,
        ProviderAuthError,
        ModelNotFoundError,
        ContextLengthError,
        ContentFilteredError,
        ProviderRequestError,
    ],
)
def test_neutral_failures_never_open_it(gate: ProviderGate, kind: type[ProviderError]) -> None:
    """What says something of the request, the key or the pace says nothing of health."""
    for _ in range(50):
        _fail(gate, "openai", kind("it went wrong"))
    assert gate.states("openai") is BreakerState.CLOSED


def test_two_hundred_wait_and_one_finds_out(gate: ProviderGate, time: FakeTime) -> None:
    """At half-open exactly one real request is let through, forced or not."""
    for _ in range(5):
        _fail(gate, "openai", ProviderOverloadedError("503"))
    time.now += 1.1
    let = [gate.enter("openai", "m", force=n % 2 == 0) for n in range(200)]
    assert sum(entry is not None for entry in let) == 1


def test_for_want_of_anybody_else_one_a_second_is_let_through(
    gate: ProviderGate, time: FakeTime
) -> None:
    """A chain of failing providers is tried again and again, but not by everybody."""
    gate_of_one = gate.enter("openai", "m")
    assert gate_of_one is not None
    gate_of_one.failed(QuotaExceededError("no money"))
    let = []
    for _ in range(30):
        entry = gate.enter("openai", "m", force=True)
        if entry is not None:
            let.append(time.now)
            entry.failed(QuotaExceededError("no money"))
        time.now += 0.1
    assert 2 <= len(let) <= 4


def test_a_full_provider_is_passed_over(time: FakeTime) -> None:
    """There is room for so many at once, and whoever ends makes room."""
    gate = ProviderGate(room=lambda _: 2, clock=time.clock)
    first, second = gate.enter("openai", "m"), gate.enter("openai", "m")
    assert first is not None
    assert second is not None
    assert gate.enter("openai", "m", force=True) is None
    assert gate.wait("openai", "m") > 0
    assert gate.enter("gemini", "m") is not None
    first.released()
    first.succeeded()
    assert gate.enter("openai", "m") is not None
    assert gate.enter("openai", "m") is None, "an entry ends once"


def test_models_named_by_callers_do_not_pile_up(gate: ProviderGate) -> None:
    """Whatever names callers make up, only so many breakers are kept."""
    for number in range(3000):
        entry = gate.enter("openai", f"model-{number}")
        assert entry is not None
        entry.succeeded()
    assert len(gate._breakers) == 1000
