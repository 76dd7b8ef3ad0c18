"""However many come at once, few begin in one turn of the event loop, and all in order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.models.turns import Turns


async def _played(each: int, *, visits: int, leaving: set[int]) -> list[tuple[int, int]]:
    """Who began, and in which turn of the event loop."""
    loop, turns, begun = asyncio.get_running_loop(), Turns(each), list[tuple[int, int]]()
    turn = 0

    def count() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(count)

    async def visit(number: int) -> None:
        await turns.come()
        begun.append((number, turn))

    count()
    tasks = [loop.create_task(visit(number)) for number in range(visits)]
    await asyncio.sleep(0)
    for number in leaving:
        tasks[number].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return begun


@given(st.integers(1, 5), st.integers(0, 30), st.sets(st.integers(0, 29)))
def test_few_begin_in_a_turn(each: int, visits: int, leaving: set[int]) -> None:
    """Nobody is forgotten, overtaken, or kept waiting by somebody who has left."""
    gone = {number for number in leaving if number < visits}
    begun = asyncio.run(_played(each, visits=visits, leaving=gone))
    numbers = [number for number, _ in begun]
    # The first ones begin before anybody can leave.
    stayed = [number for number in range(visits) if number < each or number not in gone]
    assert numbers == stayed
    in_turns = [turn for _, turn in begun]
    assert max((in_turns.count(turn) for turn in in_turns), default=0) <= each
    assert len(set(in_turns)) == -(-len(stayed) // each)


async def test_who_comes_later_begins_at_once() -> None:
    """A turn in which somebody began counts for that turn alone."""
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(StopIteration):
            turns.come().send(None)
        for _ in range(2):
            await asyncio.sleep(0)


def test_a_loop_that_ends_in_the_middle_of_a_turn_keeps_nobody_waiting() -> None:
    """What one event loop left behind does not count in the next one."""
    turns, loop = Turns(1), asyncio.new_event_loop()
    came = loop.create_task(turns.come())
    late = loop.create_task(turns.come())
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert (came.done(), late.done()) == (True, False)

    async def come() -> None:
        for _ in range(3):
            await asyncio.wait_for(turns.come(), 1)

    asyncio.run(come())
    late.cancel()
    loop.run_until_complete(asyncio.gather(late, return_exceptions=True))
    loop.close()


@given(st.integers(1, 5), st.integers(0, 30), st.sets(st.integers(0, 29)))
def test_few_are_woken_in_a_turn(each: int, waiters: int, gone: set[int]) -> None:
    """In order, and whoever waits no longer takes nobody's turn."""

    async def play() -> list[list[int]]:
        loop, turns = asyncio.get_running_loop(), Turns(each)
        waiting = [loop.create_future() for _ in range(waiters)]
        for waiter in waiting:
            turns.wake(waiter, loop)
        for number in gone:
            if number < waiters:
                waiting[number].cancel()
        seen: list[list[int]] = []
        while not all(waiter.done() for waiter in waiting):
            seen.append([n for n, waiter in enumerate(waiting) if waiter.done()])
            await asyncio.sleep(0)
        return [*seen, [n for n, waiter in enumerate(waiting) if waiter.done()]]

    seen = asyncio.run(play())
    left = {number for number in gone if each <= number < waiters}
    woken = [[n for n in turn if n not in left] for turn in seen]
    assert woken == [sorted(turn) for turn in woken]
    counts = [len(turn) for turn in woken]
    assert all(later - earlier <= each for earlier, later in pairwise(counts))
    assert counts[-1] == waiters - len(left)
    expected = [number for number in range(waiters) if number not in left]
    assert all(turn == expected[: len(turn)] for turn in woken)
