"""The sliding share of good outcomes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.observability.rolling import RollingShare

SECONDS = 300.0
SLOT = SECONDS / 30

events = st.lists(st.tuples(st.floats(0, 2000), st.booleans()), max_size=60)


def test_nothing_heard_is_no_share() -> None:
    """Without outcomes there is nothing to say."""
    assert RollingShare(SECONDS).share(1000.0) is None


@given(events, st.floats(0, 500))
def test_the_share_is_that_of_the_recent_outcomes(
    happened: list[tuple[float, bool]], later: float
) -> None:
    """What is surely inside the window counts; what is surely outside does not."""
    rolling = RollingShare(SECONDS)
    happened.sort()
    for at, good in happened:
        rolling.add(good=good, now=at)
    now = (happened[-1][0] if happened else 0.0) + later
    surely = [good for at, good in happened if at > now - SECONDS + SLOT]
    perhaps = [good for at, good in happened if at >= now - SECONDS - SLOT]
    share = rolling.share(now)
    if share is None:
        assert not surely
    else:
        assert min(perhaps) <= share <= max(perhaps)
    if surely == perhaps and surely:
        assert share == sum(surely) / len(surely)


def test_memory_does_not_grow() -> None:
    """A million outcomes take the room of one."""
    rolling = RollingShare(SECONDS)
    for n in range(10_000):
        rolling.add(good=n % 2 == 0, now=n / 10)
    assert len(rolling._slots) == 30
    assert rolling.share(1000.0) == 0.5
