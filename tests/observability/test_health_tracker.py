"""What attempts and free calls say about providers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.models.attempt import Attempt
from faultmaven.models.status import Probe, ProviderHealth
from observability.directory_of_tests import Directory, answered, failed

NEUTRAL = (ErrorClass.CONTENT_FILTER, ErrorClass.CONTEXT_LENGTH, ErrorClass.INVALID_REQUEST)
MISCONFIGURED = (ErrorClass.AUTH, ErrorClass.MODEL_NOT_FOUND)


def probed(outcome: ErrorClass | None, **fields: object) -> Probe:
    """Make a free call of a tenth of a second; one that passed shows all that it can show."""
    good = {"key_accepted": True, "model_found": True} if outcome is None else {}
    told = {} if outcome is None else {"detail": "the free call failed", "hint": "look there"}
    usual = {"latency_ms": 100.0, "holds": 180.0, "error_class": outcome, **good, **told}
    return Probe("one", **{**usual, **fields})  # type: ignore[arg-type] # the names are the fields'


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

    def probe(self, *outcomes: ErrorClass | None, **fields: object) -> ProviderHealth:
        """Tell of free calls, a minute apart; the health of provider ``one`` then."""
        for outcome in outcomes:
            self.now += 60
            self.tracker.on_probe(probed(outcome, **fields))
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
        last_success_at=datetime.fromtimestamp(1_700_001_000, UTC),
        latency_ms_p50=120.0,
        latency_ms_p95=120.0,
        latency_ms_p99=120.0,
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
    assert health.latency_ms_p99 is not None
    assert 99 <= health.latency_ms_p99 <= 100


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


def test_a_free_call_that_shows_all_makes_it_healthy(tracked: Tracked) -> None:
    """Where nobody asks, the free call says how the provider is, and when it was made (S81)."""
    health = tracked.probe(None)
    assert (health.state, health.availability) == ("healthy", None)
    assert health.last_probe is not None
    assert health.last_probe.at == datetime.fromtimestamp(1_700_001_060, UTC)
    assert (health.last_probe.outcome, health.last_probe.latency_ms) == ("ok", 100.0)
    assert health.last_success_at is None


def test_a_free_call_that_says_nothing_of_the_key_claims_nothing(tracked: Tracked) -> None:
    """A list that anybody may read does not make a provider healthy, nor does it mend a key."""
    assert tracked.probe(None, key_accepted=False).state == "unknown"
    tracked.see(failed(ErrorClass.AUTH))
    assert tracked.probe(None, None, key_accepted=False).state == "down"


@pytest.mark.parametrize("refusal", [*MISCONFIGURED, ErrorClass.QUOTA, ErrorClass.CONNECTION])
def test_one_free_call_is_proof_enough(tracked: Tracked, refusal: ErrorClass) -> None:
    """A refused key or model, an empty account or a closed port needs no second proof (S80)."""
    tracked.see(*[answered()] * 20)
    health = tracked.probe(refusal)
    assert (health.state, health.last_error_class) == ("down", refusal)
    assert (health.last_error, health.hint) == ("the free call failed", "look there")
    assert health.last_error_at == datetime.fromtimestamp(1_700_001_060, UTC)
    assert (health.consecutive_failures, health.availability) == (0, 1.0)


@pytest.mark.parametrize("trouble", [ErrorClass.TIMEOUT, ErrorClass.OVERLOADED])
def test_trouble_that_may_pass_degrades_first(tracked: Tracked, trouble: ErrorClass) -> None:
    """One slow or overloaded free call is seen at once; the second in a row is an outage (S80)."""
    assert tracked.probe(None, trouble).state == "degraded"
    assert tracked.probe(trouble).state == "down"
    assert tracked.probe(None).state == "healthy"


@pytest.mark.parametrize("trouble", [ErrorClass.RATE_LIMITED, ErrorClass.MALFORMED])
def test_an_odd_free_call_never_downs(tracked: Tracked, trouble: ErrorClass) -> None:
    """Whoever limits us is alive, and a server without the vendor's list may still answer."""
    assert tracked.probe(trouble, trouble, trouble).state == "degraded"


def test_an_answer_refutes_a_failing_free_call(tracked: Tracked) -> None:
    """Whoever answers is up, whatever the free call met; silence since makes it count again."""
    assert tracked.probe(ErrorClass.TIMEOUT, ErrorClass.TIMEOUT).state == "down"
    tracked.see(answered())
    health = tracked.health()
    assert (health.state, health.hint) == ("healthy", None)
    assert tracked.probe(ErrorClass.TIMEOUT).state == "healthy", "it answered a minute ago"
    assert tracked.probe(ErrorClass.TIMEOUT).state == "down", "nothing was heard since"


def test_a_key_that_answers_but_may_not_list_stays_good(tracked: Tracked) -> None:
    """A key restricted to answers is refused every list; one answer settles that for good."""
    assert tracked.probe(ErrorClass.AUTH).state == "down"
    tracked.see(answered())
    assert tracked.probe(ErrorClass.AUTH, ErrorClass.AUTH).state == "healthy"
    assert tracked.see(failed(ErrorClass.AUTH)).state == "down"


def test_a_key_that_is_revoked_between_two_free_calls_is_seen(tracked: Tracked) -> None:
    """Answers from before say nothing about a key that is refused now."""
    tracked.see(answered())
    assert tracked.probe(None, ErrorClass.AUTH).state == "down"


def test_a_free_call_ends_an_outage_that_it_saw(tracked: Tracked) -> None:
    """Attempts and free calls failed; the free call passes: recovered, without an attempt (S80)."""
    tracked.see(*[failed(ErrorClass.CONNECTION)] * 6)
    assert tracked.probe(ErrorClass.CONNECTION).state == "down"
    health = tracked.probe(None)
    assert (health.state, health.consecutive_failures, health.hint) == ("healthy", 0, None)
    assert health.availability == 0.0, "the share of the last five minutes is what it was"
    assert health.last_error_class is ErrorClass.CONNECTION
    assert tracked.see(failed(ErrorClass.CONNECTION)).state == "degraded"


def test_a_free_call_does_not_hide_that_attempts_fail(tracked: Tracked) -> None:
    """Lists work, answers do not: never healthy, and down again with the next failure."""
    failure = failed(ErrorClass.TIMEOUT, hint="be patient")
    tracked.see(*[failure] * 3)
    health = tracked.probe(None)
    assert (health.state, health.consecutive_failures, health.hint) == ("degraded", 3, "be patient")
    assert tracked.see(failure).state == "down"
    assert tracked.probe(None, None).state == "degraded"


def test_a_free_call_begun_before_the_failure_heals_nothing(tracked: Tracked) -> None:
    """What was asked before an attempt failed says nothing about the time after."""
    tracked.see(*[failed(ErrorClass.TIMEOUT)] * 3)
    tracked.now += 1
    tracked.tracker.on_probe(probed(None, latency_ms=5000.0))
    assert tracked.health().state == "down"


@pytest.mark.parametrize("reason", [ErrorClass.QUOTA])
def test_a_free_call_fills_no_account(tracked: Tracked, reason: ErrorClass) -> None:
    """That the list can be read does not show that there is money for an answer."""
    tracked.see(*[failed(reason)] * 3)
    assert tracked.probe(None).state == "down"


def test_a_key_or_model_is_mended_by_what_shows_it(tracked: Tracked) -> None:
    """A key that is accepted again lifts the mark of its refusal, a listed model its own."""
    tracked.see(failed(ErrorClass.AUTH))
    assert tracked.probe(None).state == "degraded"
    tracked.see(failed(ErrorClass.MODEL_NOT_FOUND))
    assert tracked.probe(None, model_found=False).state == "down"
    assert tracked.probe(None).state == "degraded"


def test_what_only_a_person_mends_is_told_first(tracked: Tracked) -> None:
    """A later timeout does not hide that the key is refused."""
    tracked.probe(ErrorClass.AUTH)
    health = tracked.see(failed(ErrorClass.TIMEOUT))
    assert (health.state, health.last_error_class) == ("down", ErrorClass.AUTH)


def test_free_calls_that_stopped_say_nothing_for_long(tracked: Tracked) -> None:
    """Where probing was switched off its last result is forgotten; it can still be read."""
    tracked.probe(ErrorClass.CONNECTION)
    tracked.now += 181
    health = tracked.health()
    assert (health.state, health.hint) == ("unknown", None)
    assert health.last_probe is not None


def test_a_provider_that_is_configured_anew_starts_anew(tracked: Tracked) -> None:
    """What was wrong with the old key says nothing of the new one."""
    tracked.probe(ErrorClass.AUTH)
    tracked.tracker.forget("one")
    assert tracked.health() == ProviderHealth()


_OUTCOMES = st.sampled_from([None, *ErrorClass])
_EVENTS = st.lists(st.tuples(st.booleans(), _OUTCOMES, st.floats(0, 400)), max_size=30)


def _heard(events: list[tuple[bool, ErrorClass | None, float]]) -> Tracked:
    """A tracker that was told of attempts and free calls, with pauses between them."""
    tracked = Tracked()
    for by_probe, outcome, pause in events:
        tracked.now += pause
        if by_probe:
            tracked.tracker.on_probe(probed(outcome))
        else:
            tracked.see(answered() if outcome is None else failed(outcome))
    return tracked


@given(_EVENTS)
def test_three_failures_now_are_never_hidden(
    events: list[tuple[bool, ErrorClass | None, float]],
) -> None:
    """Whatever was heard before: three failures in a row are down."""
    assert _heard(events).see(*[failed(ErrorClass.TIMEOUT)] * 3).state == "down"


@given(_EVENTS)
def test_an_answer_and_a_free_call_now_are_never_down(
    events: list[tuple[bool, ErrorClass | None, float]],
) -> None:
    """Whatever was heard before: who answers and passes the free call is not down."""
    tracked = _heard(events)
    tracked.see(answered())
    assert tracked.probe(None).state in {"healthy", "degraded"}


@given(_EVENTS)
def test_a_closed_port_is_down_and_an_open_one_is_not(
    events: list[tuple[bool, ErrorClass | None, float]],
) -> None:
    """Whatever was heard before: an outage shows with one free call, and so does its end (S80)."""
    tracked = _heard(events)
    tracked.see(failed(ErrorClass.CONNECTION))
    assert tracked.probe(ErrorClass.CONNECTION).state == "down"
    assert tracked.probe(None).state == "healthy"
