"""How long answers take of late, and what of that is learnt."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.llm.resilience.budget import HedgeBudget
from faultmaven.infrastructure.llm.resilience.hedging import Hedging
from faultmaven.infrastructure.llm.resilience.pace import Pace
from faultmaven.models.attempt import Attempt

_times = st.floats(0, 1e4, allow_nan=False)


@given(times=st.lists(_times, max_size=80), percent=st.integers(50, 99))
def test_a_percentile_is_that_of_the_latest_times(times: list[float], percent: int) -> None:
    """The nearest rank among what is kept; nothing as long as too little is known."""
    pace = Pace(kept=30, fewest=5)
    for seconds in times:
        pace.add(seconds)
    latest = sorted(times[-30:])
    told = pace.percentile(percent)
    if len(times) < 5:
        assert told is None
        return
    assert told in latest
    at_most = sum(seconds <= told for seconds in latest)
    below = sum(seconds < told for seconds in latest)
    assert below < percent / 100 * len(latest) + 1e-9
    assert at_most >= math.floor(percent / 100 * len(latest))


@given(st.lists(st.booleans(), max_size=400))
def test_extra_calls_are_never_more_than_a_twentieth(events: list[bool]) -> None:
    """Whenever one counts: at most one for every twenty calls so far."""
    budget, calls, extra = HedgeBudget(), 0, 0
    for is_call in events:
        if is_call:
            budget.called()
            calls += 1
        elif budget.affords:
            budget.pay()
            extra += 1
        assert extra * 20 <= calls


def test_little_is_saved_up() -> None:
    """After however quiet a day ten extra calls are made at once, and no more."""
    budget = HedgeBudget()
    for _ in range(100_000):
        budget.called()
    extra = 0
    while budget.affords:
        budget.pay()
        extra += 1
    assert extra == 10


def _known(*milliseconds: float, percent: int = 95) -> Hedging:
    hedging = Hedging(lambda: percent)
    for took in milliseconds:
        hedging.learn(Attempt("one", "m", total_ms=took), live=False)
    return hedging


def _patience(hedging: Hedging) -> float | None:
    return hedging.asked("one", "m", live=False)


@pytest.mark.parametrize(
    ("further", "patience"),
    [
        ({"total_ms": 500.0}, 0.5),
        ({"total_ms": 500.0, "lost": True}, 0.5),
        ({"total_ms": 5.0, "lost": True}, 0.01),
        ({"total_ms": 500.0, "error_class": ErrorClass.TIMEOUT}, 0.01),
    ],
    ids=["answered", "lost late", "lost early", "failed"],
)
def test_what_an_attempt_teaches(further: dict[str, Any], patience: float) -> None:
    """Answers, and losing after more than usual; losing early or failing says nothing."""
    hedging = _known(*[10.0] * 20)
    for _ in range(2):  # so that at the 95th of a hundred they make a difference
        hedging.learn(Attempt("one", "m", **further), live=False)
    assert _patience(hedging) == pytest.approx(patience)


def test_a_loser_s_time_is_a_lower_bound_to_what_is_known() -> None:
    """Without anything known a short time of a loser would make the provider look quick."""
    hedging = Hedging(lambda: 95)
    for _ in range(40):
        hedging.learn(Attempt("one", "m", total_ms=1.0, lost=True), live=False)
    assert _patience(hedging) is None


def test_patience_does_not_shrink_by_being_used() -> None:
    """A tail that is cut each time stays in sight: the 95th of a hundred stays where it was."""
    hedging = _known(*(float(ms) for ms in range(1, 101)))
    before = _patience(hedging)
    assert before == pytest.approx(0.095)
    for number in range(1000):
        took = float(number % 100 + 1)
        limit = (_patience(hedging) or 0.0) * 1000
        lost = took > limit
        attempt = Attempt("one", "m", total_ms=min(took, limit + 1), lost=lost)
        hedging.learn(attempt, live=False)
    assert _patience(hedging) == pytest.approx(before, rel=0.1)


def test_what_is_listened_to_counts_by_its_first_token() -> None:
    """However long the whole of it takes."""
    hedging = Hedging(lambda: 50)
    for _ in range(20):
        attempt = Attempt("one", "m", first_token_ms=200.0, total_ms=9000.0)
        hedging.learn(attempt, live=True)
    assert hedging.asked("one", "m", live=True) == pytest.approx(0.2)
    assert hedging.asked("one", "m", live=False) is None


def test_names_made_up_by_callers_are_forgotten() -> None:
    """Memory is bounded; whoever is used lately stays known."""
    hedging = Hedging(lambda: 95)
    for _ in range(20):
        for model in ("m", "old"):
            hedging.learn(Attempt("one", model, total_ms=10.0), live=False)
    for number in range(200):
        hedging.learn(Attempt("one", f"made-up-{number}", total_ms=1.0), live=False)
        hedging.learn(Attempt("one", "m", total_ms=10.0), live=False)
    assert _patience(hedging) == pytest.approx(0.01)
    assert hedging.asked("one", "old", live=False) is None


def test_switched_off_nothing_is_learnt_or_counted() -> None:
    """Who does not hedge pays nothing for it, and begins from nothing once they do."""
    percent: list[int | None] = [None]
    hedging = Hedging(lambda: percent[0])
    for _ in range(40):
        assert _patience(hedging) is None
        hedging.learn(Attempt("one", "m", total_ms=10.0), live=False)
    percent[0] = 95
    assert _patience(hedging) is None
    assert not hedging.budget.affords
