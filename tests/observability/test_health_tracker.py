"""What attempts say about providers."""

from __future__ import annotations

import pytest

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.models.attempt import Attempt
from faultmaven.models.status import ProviderHealth
from observability.directory_of_tests import Directory, answered, failed

NEUTRAL = (ErrorClass.CONTENT_FILTER, ErrorClass.CONTEXT_LENGTH, ErrorClass.INVALID_REQUEST)
MISCONFIGURED = (ErrorClass.AUTH, ErrorClass.MODEL_NOT_FOUND)


class Tracked:
    """A tracker whose clocks the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.tracker = HealthTracker(
            Directory(), clock=lambda: self.now, wall_clock=lambda: self.now + 1_700_000_000
        )

    def see(self, *attempts: Attempt) -> ProviderHealth:
        """Tell of attempts; the health of provider ``one`` then."""
        for attempt in attempts:
            self.tracker.on_attempt(attempt)
        return self.health()

    def health(self) -> ProviderHealth:
        """Tell the health of provider ``one``."""
        return self.tracker.snapshot().get("one", ProviderHealth())


@pytest.fixture
def tracked() -> Tracked:
    """A tracker that has heard nothing."""
    return Tracked()


def test_nobody_is_known_before_an_attempt(tracked: Tracked) -> None:
    """Without attempts there is no health, and starts, answers and leaving callers are none."""
    tracked.tracker.on_start("one")
    tracked.tracker.on_cancel("one")
    tracked.tracker.on_fallback("one", "two", "timeout")
    assert tracked.tracker.snapshot() == {}


def test_an_answer_makes_it_healthy(tracked: Tracked) -> None:
    """One success is enough, and is remembered with its time."""
    health = tracked.see(answered(total_ms=120.0))
    assert health == ProviderHealth(
        state="healthy",
        availability=1.0,
        last_success_at=1_700_001_000.0,
        latency_ms_p50=120.0,
        latency_ms_p95=120.0,
    )


def test_three_failures_in_a_row_are_down(tracked: Tracked) -> None:
    """The third failure in a row decides, not the second (S80)."""
    failure = failed(ErrorClass.CONNECTION, hint="start it")
    assert tracked.see(failure, failure).state == "degraded"
    health = tracked.see(failure)
    assert (health.state, health.consecutive_failures, health.availability) == ("down", 3, 0.0)
    assert (health.last_error_class, health.last_error, health.hint) == (
        ErrorClass.CONNECTION,
        "it went wrong",
        "start it",
    )


def test_one_success_ends_being_down(tracked: Tracked) -> None:
    """Recovery is seen with the first answer; what went wrong stays to be read (S80)."""
    tracked.see(*[failed(ErrorClass.TIMEOUT, hint="be patient")] * 5)
    health = tracked.see(answered())
    assert health.state == "degraded"
    assert (health.consecutive_failures, health.hint) == (0, None)
    assert health.last_error_class is ErrorClass.TIMEOUT
    assert tracked.see(*[answered()] * 45).state == "healthy"


def test_availability_decides_between_healthy_and_degraded(tracked: Tracked) -> None:
    """Nine of ten is healthy, less is degraded."""
    failure = failed(ErrorClass.OVERLOADED)
    assert tracked.see(failure, *[answered()] * 9).state == "healthy"
    assert tracked.see(failure, answered()).state == "degraded"


@pytest.mark.parametrize("error_class", MISCONFIGURED)
def test_what_only_a_person_mends_is_down_at_once_and_stays(
    tracked: Tracked, error_class: ErrorClass
) -> None:
    """Refused keys and missing models need no second proof and no time heals them (S105, S106)."""
    assert tracked.see(failed(error_class)).state == "down"
    tracked.now += 3600
    health = tracked.health()
    assert (health.state, health.last_error_class) == ("down", error_class)
    assert tracked.see(answered()).state == "healthy"


def test_a_model_somebody_named_does_not_mark_the_provider(tracked: Tracked) -> None:
    """A caller who misspells a model must not take a provider down (S105)."""
    tracked.see(answered())
    missing = failed(ErrorClass.MODEL_NOT_FOUND, model="no-such-model")
    health = tracked.see(*[missing] * 5)
    assert (health.state, health.availability) == ("healthy", 1.0)


@pytest.mark.parametrize("error_class", NEUTRAL)
def test_what_is_not_the_providers_fault_does_not_count(
    tracked: Tracked, error_class: ErrorClass
) -> None:
    """Refusals, long prompts and wrong requests leave the health as it is."""
    assert tracked.see(*[failed(error_class)] * 5) == ProviderHealth()


def test_a_rate_limit_degrades_and_never_downs(tracked: Tracked) -> None:
    """Whoever limits us is alive (S107)."""
    assert tracked.see(*[failed(ErrorClass.RATE_LIMITED)] * 5).state == "degraded"


def test_silence_makes_it_unknown_again(tracked: Tracked) -> None:
    """Five minutes without attempts end being down: otherwise nobody might ever ask again."""
    tracked.see(*[failed(ErrorClass.CONNECTION)] * 3)
    tracked.now += 320
    health = tracked.health()
    assert (health.state, health.availability) == ("unknown", None)
    assert health.last_error_class is ErrorClass.CONNECTION


def test_latencies_are_those_of_recent_answers(tracked: Tracked) -> None:
    """Percentiles leave out failures and what is older than the window."""
    tracked.see(answered(total_ms=9999.0))
    tracked.now += 301
    tracked.see(*[answered(total_ms=float(ms)) for ms in range(1, 101)])
    health = tracked.see(failed(ErrorClass.TIMEOUT, total_ms=60_000.0))
    assert health.latency_ms_p50 == 50.5
    assert health.latency_ms_p95 is not None
    assert 95 <= health.latency_ms_p95 <= 96


def test_providers_are_told_apart(tracked: Tracked) -> None:
    """One provider's failures are nobody else's."""
    tracked.see(*[failed(ErrorClass.CONNECTION)] * 3, answered("two"))
    states = {name: health.state for name, health in tracked.tracker.snapshot().items()}
    assert states == {"one": "down", "two": "healthy"}


def test_attempts_that_callers_cut_short_do_not_count(tracked: Tracked) -> None:
    """Callers who leave no time to answer say nothing about the provider (S80)."""
    hasty = failed(ErrorClass.TIMEOUT, cut_short=True)
    assert tracked.see(*[hasty] * 5) == ProviderHealth()
    assert tracked.see(answered(), *[hasty] * 5).state == "healthy"
