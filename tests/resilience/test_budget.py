"""What retries may cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doubles import FakeTime
from faultmaven.infrastructure.llm.resilience.budget import RetryBudget


def test_a_quiet_service_may_retry() -> None:
    """Three retries a second are paid for whatever the traffic."""
    time = FakeTime()
    budget = RetryBudget(clock=time.clock)
    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
    time.now += 1.1
    assert budget.take()


def test_a_busy_service_retries_a_fifth() -> None:
    """Of a thousand calls in ten seconds two hundred may be retries."""
    time = FakeTime()
    budget = RetryBudget(clock=time.clock)
    for _ in range(1000):
        budget.called()
    assert sum(budget.take() for _ in range(1000)) == 200


def test_old_calls_pay_for_nothing() -> None:
    """After ten seconds only the floor is left."""
    time = FakeTime()
    budget = RetryBudget(clock=time.clock)
    for _ in range(1000):
        budget.called()
    time.now += 11
    assert sum(budget.take() for _ in range(1000)) == 3


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.5)), max_size=300))
def test_never_more_than_a_fifth_and_the_floor(events: list[tuple[bool, float]]) -> None:
    """In no ten seconds do retries exceed a fifth of the calls and three a second together."""
    time = FakeTime()
    budget = RetryBudget(clock=time.clock)
    calls: list[float] = []
    retries: list[float] = []
    for is_call, pause in events:
        time.now += pause
        if is_call:
            budget.called()
            calls.append(time.now)
        elif budget.take():
            retries.append(time.now)
        recent = [at for at in retries if at > time.now - 9]
        paid = 0.2 * sum(at > time.now - 20 for at in calls) + 3 * 11
        assert len(recent) <= paid
