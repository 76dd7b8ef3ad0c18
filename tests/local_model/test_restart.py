"""The backoff between two starts of the server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.local_model.restart import RestartPolicy

POLICY = RestartPolicy(first_delay=1.0, longest_delay=8.0, most_deaths=3, stable_after=60.0)


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_delay_is_bounded(deaths: int, chance: float) -> None:
    """Whatever chance says, a delay lies between half its ceiling and the longest."""
    delay = POLICY.delay(deaths, lambda low, high: low + (high - low) * chance)
    assert 0.5 <= delay <= 8.0


def test_the_delay_doubles() -> None:
    """Each death in a row doubles the ceiling, until the longest."""
    delays = [POLICY.delay(deaths, lambda _low, high: high) for deaths in range(1, 6)]
    assert delays == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_long_life_is_forgiven() -> None:
    """Deaths in a row are counted from the last long life."""
    assert POLICY.count(2, lived=59.9) == 3
    assert POLICY.count(2, lived=60.0) == 1
    assert [POLICY.gives_up(deaths) for deaths in (1, 2, 3)] == [False, False, True]
