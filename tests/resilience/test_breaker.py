"""The circuit breaker, held to its rules by any sequence of events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from doubles import FakeTime
from faultmaven.infrastructure.llm.resilience.breaker import (
    Breaker,
    BreakerRules,
    BreakerState,
    Pass,
)

RULES = BreakerRules()


def _breaker(time: FakeTime, chance: float = 1.0) -> Breaker:
    return Breaker(RULES, clock=time.clock, chance=lambda: chance)


def _state(breaker: Breaker) -> BreakerState:
    """As it stands now: a type checker takes an attribute for what it was before."""
    return breaker.state


def _enter(breaker: Breaker) -> Pass:
    called = breaker.enter()
    assert called is not None
    return called


def _open(breaker: Breaker) -> None:
    for _ in range(RULES.failures):
        _enter(breaker).failed()
    assert _state(breaker) is BreakerState.OPEN


def test_failures_in_a_row_open_it() -> None:
    """Five open it, four do not, and a success starts the count anew."""
    breaker = _breaker(FakeTime())
    for _ in range(RULES.failures - 1):
        _enter(breaker).failed()
    _enter(breaker).succeeded()
    for _ in range(RULES.failures - 1):
        _enter(breaker).failed()
    assert _state(breaker) is BreakerState.CLOSED
    _enter(breaker).failed()
    assert _state(breaker) is BreakerState.OPEN
    assert breaker.enter() is None


def test_a_low_rate_opens_it() -> None:
    """Under half of at least ten calls in ten seconds opens it, never mind the order."""
    breaker = _breaker(FakeTime())
    for outcome in (True, False, False, True, False, False, True, False, False):
        called = _enter(breaker)
        called.succeeded() if outcome else called.failed()
    assert _state(breaker) is BreakerState.CLOSED, "nine calls say too little"
    _enter(breaker).failed()
    assert _state(breaker) is BreakerState.OPEN


def test_old_failures_do_not_count() -> None:
    """What is more than ten seconds old says nothing about the rate."""
    time = FakeTime()
    breaker = _breaker(time)
    for _ in range(4):
        _enter(breaker).failed()
    _enter(breaker).succeeded()
    time.now += RULES.window + 1
    for _ in range(4):
        _enter(breaker).failed()
    assert _state(breaker) is BreakerState.CLOSED


def test_exactly_one_finds_out() -> None:
    """However many wait, one is let through; the others are told how long it may take."""
    time = FakeTime()
    breaker = _breaker(time)
    _open(breaker)
    time.now += RULES.first
    assert _state(breaker) is BreakerState.HALF_OPEN
    entered = [breaker.enter() for _ in range(200)]
    assert sum(called is not None for called in entered) == 1
    assert breaker.wait() > 0


@pytest.mark.parametrize("times", [1, 2, 3, 9])
def test_each_further_failed_probe_doubles_the_wait(times: int) -> None:
    """One second, one more, then two, then four, up to a minute."""
    time = FakeTime()
    breaker = _breaker(time)
    _open(breaker)
    for _ in range(times):
        time.now += breaker.wait()
        _enter(breaker).failed()
    assert breaker.wait() == pytest.approx(min(RULES.longest, RULES.first * 2 ** (times - 1)))


@given(outage=st.floats(0, 2), chance=st.floats(0, 1))
def test_the_end_of_a_short_outage_is_found_soon(outage: float, chance: float) -> None:
    """Whoever is back after up to a second is asked again within one, after two within two."""
    time = FakeTime(0.0)
    breaker = _breaker(time, chance)
    _open(breaker)
    time.now = breaker.wait()
    while time.now < outage:
        _enter(breaker).failed()
        time.now += breaker.wait()
    assert time.now - outage <= (1 if outage <= 1 else 2)


def test_a_good_probe_closes_it_and_forgets() -> None:
    """After one success it takes five failures again, and the first wait is a second again."""
    time = FakeTime()
    breaker = _breaker(time)
    _open(breaker)
    time.now += breaker.wait()
    _enter(breaker).failed()
    time.now += breaker.wait()
    _enter(breaker).succeeded()
    assert _state(breaker) is BreakerState.CLOSED
    _open(breaker)
    assert breaker.wait() == pytest.approx(RULES.first)


def test_a_probe_whose_caller_leaves_frees_its_place() -> None:
    """Nothing is learnt, and the next one finds out."""
    time = FakeTime()
    breaker = _breaker(time)
    _open(breaker)
    time.now += RULES.first
    _enter(breaker).released()
    assert _state(breaker) is BreakerState.HALF_OPEN
    assert breaker.enter() is not None


def test_who_began_before_it_opened_is_not_heard() -> None:
    """A late answer does not close it, a late failure does not keep it open."""
    time = FakeTime()
    breaker = _breaker(time)
    early_good, early_bad = _enter(breaker), _enter(breaker)
    _open(breaker)
    early_good.succeeded()
    assert _state(breaker) is BreakerState.OPEN
    time.now += RULES.first
    probe = _enter(breaker)
    early_bad.failed()
    probe.succeeded()
    assert _state(breaker) is BreakerState.CLOSED


def test_jitter_only_shortens_the_wait() -> None:
    """Many gateways do not come back at the same moment, and none later than said."""
    for chance in (0.0, 0.5, 1.0):
        breaker = _breaker(FakeTime(), chance)
        _open(breaker)
        assert 0.75 * RULES.first <= breaker.wait() <= RULES.first


def test_a_forced_success_closes_it() -> None:
    """For want of anybody else it is asked while open, and an answer is an answer."""
    breaker = _breaker(FakeTime())
    _open(breaker)
    forced = breaker.force()
    assert forced is not None
    assert breaker.force() is None, "one at a time"
    forced.succeeded()
    assert _state(breaker) is BreakerState.CLOSED


class AnySequence(RuleBasedStateMachine):
    """Calls begin, end in any order and way, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.time = FakeTime()
        self.breaker = _breaker(self.time, 0.5)
        self.inside: list[Pass] = []
        self.probe: Pass | None = None

    @rule()
    def enter(self) -> None:
        """Somebody asks to be let through."""
        before = _state(self.breaker)
        called = self.breaker.enter()
        if called is None:
            assert before is not BreakerState.CLOSED
            return
        assert before is not BreakerState.OPEN
        self.inside.append(called)
        if before is BreakerState.HALF_OPEN:
            assert self.probe is None, "a second one was let through"
            self.probe = called

    @precondition(lambda self: self.inside)
    @rule(data=st.data(), how=st.sampled_from(["succeeded", "failed", "released"]))
    def end(self, data: st.DataObject, how: str) -> None:
        """One of them ends."""
        called = self.inside.pop(data.draw(st.integers(0, len(self.inside) - 1)))
        before = _state(self.breaker)
        getattr(called, how)()
        if how == "released":
            assert _state(self.breaker) is before, "nothing was learnt"
        if called is self.probe:
            self.probe = None
            if how == "succeeded":
                assert _state(self.breaker) is BreakerState.CLOSED
            if how == "failed":
                assert _state(self.breaker) is BreakerState.OPEN
        elif before is not BreakerState.CLOSED:
            assert _state(self.breaker) is before, "old news"

    @rule(seconds=st.floats(0, 70))
    def time_passes(self, seconds: float) -> None:
        """Nobody does anything for a while."""
        before = _state(self.breaker)
        self.time.now += seconds
        if before is BreakerState.CLOSED:
            assert _state(self.breaker) is BreakerState.CLOSED

    @invariant()
    def never_stuck(self) -> None:
        """Whoever waits as long as they are told is let through, unless one is finding out."""
        assert 0 <= self.breaker.wait() <= RULES.longest
        if self.probe is None and _state(self.breaker) is BreakerState.OPEN:
            now = self.time.now
            self.time.now += self.breaker.wait()
            assert _state(self.breaker) is BreakerState.HALF_OPEN
            self.time.now = now


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
