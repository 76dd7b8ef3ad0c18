"""The moment by which a caller must have an answer."""

from doubles import FakeTime
from faultmaven.infrastructure.llm.resilience.deadline import Deadline


def test_time_left_shrinks_to_zero_and_stays_there() -> None:
    """What is left is never negative, and the deadline has passed when nothing is."""
    time = FakeTime()
    deadline = Deadline.after(2, clock=time.clock)
    assert (deadline.left(), deadline.passed) == (2, False)
    time.now += 1.5
    assert (deadline.left(), deadline.passed) == (0.5, False)
    time.now += 0.5
    assert (deadline.left(), deadline.passed) == (0, True)
    time.now += 100
    assert (deadline.left(), deadline.passed) == (0, True)
