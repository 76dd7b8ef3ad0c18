"""Whose turn it is among a provider's keys, and how long a bad one is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from doubles import FakeTime
from faultmaven.errors import (
    ContentFilteredError,
    ProviderAuthError,
    ProviderError,
    ProviderOverloadedError,
    QuotaExceededError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.resilience.keys import KeyRing, seconds_aside

KEYS = 4


class Turns(RuleBasedStateMachine):
    """Any sequence of requests, refusals and moments, against a table of who is back when."""

    def __init__(self) -> None:
        super().__init__()
        self.time = FakeTime()
        self.ring = KeyRing(KEYS, self.time.clock)
        self.back = [0.0] * KEYS

    @rule()
    def take(self) -> None:
        """A key that is not set aside, or, where all are, the one that comes back first."""
        place, now = self.ring.take(), self.time.now
        if min(self.back) <= now:
            assert self.back[place] <= now
        else:
            assert self.back[place] == min(self.back)

    @rule(tried=st.sets(st.integers(0, KEYS - 1)))
    def another(self, tried: set[int]) -> None:
        """A key that is neither tried nor set aside, exactly if there is one."""
        place = self.ring.another(tried)
        left = {n for n in range(KEYS) if n not in tried and self.back[n] <= self.time.now}
        assert place in left if left else place is None

    @rule(place=st.integers(0, KEYS - 1), seconds=st.floats(0.1, 700))
    def refuse(self, place: int, seconds: float) -> None:
        """Set a key aside; the latest word counts."""
        self.ring.set_aside(place, seconds)
        self.back[place] = self.time.now + seconds

    @rule(place=st.integers(0, KEYS - 1))
    def restore(self, place: int) -> None:
        """Use a key again at once."""
        self.ring.restore(place)
        self.back[place] = 0.0

    @rule(seconds=st.floats(0.1, 700))
    def pass_time(self, seconds: float) -> None:
        """Let the time pass."""
        self.time.now += seconds

    @invariant()
    def tells_the_truth(self) -> None:
        """It waits for the first that comes back, and knows who is set aside."""
        now = self.time.now
        assert self.ring.wait() == pytest.approx(max(0.0, min(self.back) - now))
        assert [self.ring.is_aside(n) for n in range(KEYS)] == [at > now for at in self.back]


test_turns = Turns.TestCase


@given(count=st.integers(1, 6), rounds=st.integers(1, 4))
def test_each_key_has_its_turn(count: int, rounds: int) -> None:
    """Over as many requests as there are keys, each key is used once."""
    ring = KeyRing(count)
    assert [ring.take() for _ in range(count * rounds)] == list(range(count)) * rounds


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ProviderAuthError("no"), 600),
        (ProviderAuthError("no", retry_after=5), 600),
        (QuotaExceededError("no"), 300),
        (QuotaExceededError("no", retry_after=5), 5),
        (RateLimitedError("no", retry_after=5), 5),
        (RateLimitedError("no", retry_after=1e9), 3600),
        (RateLimitedError("no"), None),
        (RateLimitedError("no", retry_after=0), None),
        (ProviderOverloadedError("no", retry_after=5), None),
        (ContentFilteredError("no"), None),
    ],
)
def test_how_long_a_key_is_left_alone(error: ProviderError, seconds: float | None) -> None:
    """Refused ten minutes, spent five, limited as long as was said; else it is not the key's."""
    assert seconds_aside(error) == seconds
