"""What a request costs, counted: a rise of more than a tenth needs a decision, not a surprise.

Nothing here measures time. `scripts/cost` prints the numbers and writes the baseline.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cost.comparison import (
    PYTHON,
    REWRITE,
    Costs,
    changes,
    read_baseline,
    write_baseline,
)
from cost.counting import CountingLoop, Tally
from cost.measuring import CHAT, CHAT_AMONG_ALL

_TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def costs() -> Mapping[str, Costs]:
    """What requests cost in a process of their own: the test runner would be counted here."""
    done = subprocess.run(
        [sys.executable, "-m", "cost", "--json"], cwd=_TESTS, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Costs] = json.loads(done.stdout)
    return found


def test_no_kind_of_request_costs_a_tenth_more_than_it_did(costs: Mapping[str, Costs]) -> None:
    """Calls, steps of the event loop and memory per request stay near the baseline."""
    baseline = read_baseline()
    if baseline is None:
        pytest.skip(f"no baseline for Python {PYTHON}; write it: {REWRITE}")

    risen = [str(change) for change in changes(baseline, costs) if change.rose]

    assert not risen, f"If it is worth that, `{REWRITE}` and say why. " + "; ".join(risen)


def test_providers_that_are_not_asked_cost_a_request_nothing(costs: Mapping[str, Costs]) -> None:
    """With every provider configured a request costs at most a twentieth more than with one."""
    alone, among_all = costs[CHAT], costs[CHAT_AMONG_ALL]

    assert {name: number for name, number in among_all.items() if number > alone[name] * 1.05} == {}


@pytest.mark.parametrize(
    ("now", "rose", "fell"),
    [
        (111.0, True, False),
        (109.0, False, False),
        (100.0, False, False),
        (91.0, False, False),
        (89.0, False, True),
    ],
)
def test_a_tenth_is_the_limit(now: float, *, rose: bool, fell: bool) -> None:
    """A rise of 11 % is too much and one of 9 % is not; a fall of 11 % is worth keeping."""
    (change,) = changes({"chat": {"calls": 100.0}}, {"chat": {"calls": now}})

    assert (change.rose, change.fell) == (rose, fell)


def test_what_was_free_may_not_begin_to_cost() -> None:
    """A count of nothing has no tenth: anything more is a rise."""
    (change,) = changes({"piece": {"steps": 0.0}}, {"piece": {"steps": 1.0}})

    assert change.rose
    assert str(change) == "piece: steps rose from 0.0 to 1.0"


def test_a_change_says_what_rose_from_what_to_what() -> None:
    """The message needs no second look at the numbers."""
    before = {"chat": {"calls": 1000.0, "steps": 7.0}, "messages": {"calls": 900.0}}
    now = {"chat": {"calls": 1110.0, "steps": 7.0}, "messages": {"calls": 900.0}}

    risen = [str(change) for change in changes(before, now) if change.rose]

    assert risen == ["chat: calls rose from 1,000.0 to 1,110.0 (+11%)"]


@pytest.mark.parametrize("now", [{}, {"chat": {}}, {"chat": {"calls": 1.0}, "new": {"calls": 1.0}}])
def test_a_baseline_of_something_else_is_no_baseline(now: Mapping[str, Costs]) -> None:
    """What is counted no more, or not yet in the baseline, fails instead of going unwatched."""
    with pytest.raises(KeyError):
        list(changes({"chat": {"calls": 1.0}}, now))


def test_a_baseline_is_kept_for_each_version_of_python(tmp_path: Path) -> None:
    """Writing this version's numbers leaves the others' alone, and a version may have none."""
    file = tmp_path / "baseline.json"
    file.write_text('{"3.0": {"chat": {"calls": 5.0}}}', encoding="utf-8")

    write_baseline({"chat": {"calls": 7.04}}, file)

    assert read_baseline(file) == {"chat": {"calls": 7.0}}
    assert read_baseline(file, python="3.0") == {"chat": {"calls": 5.0}}
    assert read_baseline(file, python="2.7") is None
    assert read_baseline(tmp_path / "none.json") is None


def _nothing() -> None:
    pass


def _counted(*, functions: int, waits: int) -> Tally:
    """Count a coroutine that calls so many functions and lets go of the loop so many times."""

    async def run(loop: CountingLoop) -> Tally:
        loop.tally = tally = Tally()
        await asyncio.sleep(0)
        for _ in range(functions):
            _nothing()
        for _ in range(waits):
            await asyncio.sleep(0)
        loop.tally = None
        return tally

    loop = CountingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(run(loop))


def test_each_function_and_each_wait_is_counted() -> None:
    """Ten functions more are ten calls more, and three waits more three steps more."""
    little, more_calls = _counted(functions=5, waits=2), _counted(functions=15, waits=2)
    more_steps = _counted(functions=5, waits=5)

    assert more_calls.calls - little.calls == 10
    assert more_calls.steps == little.steps
    assert more_steps.steps - little.steps == 3
