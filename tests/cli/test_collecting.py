"""The garbage collector looks the less often the more is in flight."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from faultmaven.cli.collecting import Collecting


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The collector is the whole process's."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_more_in_flight_more_may_come_before_a_look() -> None:
    """In proportion to it; older objects are looked at as seldom as before."""
    collecting, older = Collecting(), gc.get_threshold()[1:]
    collecting.pace(0)
    least, *rest = gc.get_threshold()
    collecting.pace(500)
    many, *_ = gc.get_threshold()
    collecting.pace(1000)
    most, *_ = gc.get_threshold()
    assert least < many == most / 2
    assert tuple(rest) == older


def test_a_wave_is_remembered_for_a_while_and_forgotten() -> None:
    """Between two waves it does not hurry; when no more come it looks as often as before."""
    collecting = Collecting()
    collecting.pace(0)
    least = gc.get_threshold()[0]
    collecting.pace(1000)
    most = gc.get_threshold()[0]
    collecting.pace(0)
    assert least < gc.get_threshold()[0] < most
    for _ in range(50):
        collecting.pace(0)
    assert gc.get_threshold()[0] == least
