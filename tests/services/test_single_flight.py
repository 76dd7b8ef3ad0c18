"""Identical requests in flight at the same time: one question, and nobody's loss is another's."""

from __future__ import annotations

import asyncio
import gc
import traceback
from collections.abc import Coroutine

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doubles import FakeTime
from faultmaven.errors import AllProvidersFailedError, OverloadedError
from faultmaven.services.single_flight import SingleFlight, narrowed

SAME = b"the same"
Caller = asyncio.Task[str]


class Upstream:
    """Is asked, and answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[str]] = []
        self.seconds: list[float] = []

    async def ask(self, seconds: float) -> str:
        """Take a question; whoever gives it up cancels its future."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked.append(answer)
        self.seconds.append(seconds)
        return await answer

    @property
    def busy(self) -> list[asyncio.Future[str]]:
        """Questions that nobody has answered or given up."""
        return [answer for answer in self.asked if not answer.done()]


class Callers:
    """Ask through one `SingleFlight`, each in a task as requests are."""

    def __init__(self, **options: object) -> None:
        self.time = FakeTime()
        self.waited: list[float] = []
        self.flights = SingleFlight(
            on_shared=self.waited.append,
            monotonic=self.time.clock,
            **options,  # type: ignore[arg-type]  # what a test says of it
        )
        self.upstream = Upstream()

    async def come(self, fingerprint: bytes | None = SAME, *, seconds: float = 60) -> Caller:
        """Let one more caller ask, until it waits."""
        caller = asyncio.create_task(
            self.flights.share(fingerprint, self.upstream.ask, seconds=seconds)
        )
        await settled()
        return caller


async def settled() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def left(caller: Caller) -> None:
    """Let a caller leave, and be gone."""
    caller.cancel()
    await asyncio.wait((caller,))
    assert caller.cancelled()


async def test_one_question_is_answered_to_everybody() -> None:
    """Who comes while it is asked gets the same answer; who comes later has it asked again."""
    callers = Callers()
    here = [await callers.come() for _ in range(3)]
    callers.time.now += 2
    callers.upstream.asked[0].set_result("full")
    assert await asyncio.gather(*here) == ["full"] * 3
    assert callers.waited == [2, 2]
    again = await callers.come()
    callers.upstream.asked[1].set_result("empty")
    assert await again == "empty"
    assert callers.flights.in_flight == 0


@pytest.mark.parametrize("fingerprint", [None, SAME])
async def test_shares_only_what_it_may(fingerprint: bytes | None) -> None:
    """Without a fingerprint, or where it is switched off, everybody is answered alone."""
    callers = Callers(enabled=fingerprint is None)
    here = [await callers.come(fingerprint), await callers.come(fingerprint)]
    for answer, said in zip(callers.upstream.asked, "ab", strict=True):
        answer.set_result(said)
    assert await asyncio.gather(*here) == ["a", "b"]
    assert callers.waited == []


@pytest.mark.parametrize("leaves", [0, 1])
async def test_who_leaves_takes_nobody_along(leaves: int) -> None:
    """Neither the first caller nor a later one; the last one ends the question."""
    callers = Callers()
    here = [await callers.come(), await callers.come()]
    await left(here.pop(leaves))
    assert len(callers.upstream.busy) == 1
    await left(here.pop())
    assert callers.upstream.asked[0].cancelled()
    assert callers.flights.in_flight == 0


async def test_a_question_that_is_being_given_up_is_not_joined() -> None:
    """Who comes while the last caller's question ends has it asked again, and is answered."""
    callers = Callers()
    first = await callers.come()
    first.cancel()
    second = asyncio.create_task(callers.flights.share(SAME, callers.upstream.ask, seconds=60))
    await settled()
    callers.upstream.asked[-1].set_result("full")
    assert await second == "full"
    assert first.cancelled()


async def test_everybody_gets_a_failure_of_their_own() -> None:
    """With all that is known of it, and without the others' tracebacks."""
    callers = Callers()
    here = [await callers.come() for _ in range(20)]
    failure = OverloadedError("too much", retry_after=2.5, hint="Wait.")
    callers.upstream.asked[0].set_exception(failure)
    raised = await asyncio.gather(*here, return_exceptions=True)
    assert len(set(map(id, raised))) == 20
    for error in raised:
        assert isinstance(error, OverloadedError)
        assert (str(error), error.retry_after, error.hint) == ("too much", 2.5, "Wait.")
        assert len(traceback.extract_tb(error.__traceback__)) < 6
    assert len(traceback.extract_tb(failure.__traceback__)) < 6


async def test_who_has_more_time_is_not_failed_for_want_of_it() -> None:
    """The first caller's time being up, who came later asks again, with the time that is left."""
    callers = Callers()
    first = await callers.come(seconds=10)
    twin = await callers.come(seconds=10)
    callers.time.now += 6
    later = await callers.come(seconds=10)
    callers.time.now += 4
    callers.upstream.asked[0].set_exception(AllProvidersFailedError("All providers failed"))
    await settled()
    assert later.done() is False
    raised = (first.exception(), twin.exception())
    assert [type(error) for error in raised] == [AllProvidersFailedError] * 2
    assert callers.upstream.seconds == [10, 6]
    callers.upstream.asked[1].set_result("full")
    assert await later == "full"


async def test_a_failure_in_time_is_everybodys() -> None:
    """Who came later does not ask again what just failed for a reason of its own."""
    callers = Callers()
    here = [await callers.come(seconds=10)]
    callers.time.now += 6
    here.append(await callers.come(seconds=10))
    callers.upstream.asked[0].set_exception(AllProvidersFailedError("All providers failed"))
    await settled()
    assert len(callers.upstream.asked) == 1
    assert [type(caller.exception()) for caller in here] == [AllProvidersFailedError] * 2


async def test_what_was_forgotten_is_not_joined() -> None:
    """After a reload nobody joins what was asked before; who waits for that is answered."""
    callers = Callers()
    before = await callers.come()
    callers.flights.forget()
    after = [await callers.come()]
    callers.upstream.asked[0].set_result("old")
    assert await before == "old"
    after.append(await callers.come())
    assert len(callers.upstream.asked) == 2
    callers.upstream.asked[1].set_result("new")
    assert await asyncio.gather(*after) == ["new", "new"]


def test_who_leaves_last_sees_the_question_ended() -> None:
    """Nothing is left of it when the caller is gone, and nobody complains if it ends badly."""
    asyncio.run(_without_mishap(_leave_what_ends_badly()))


async def _leave_what_ends_badly() -> None:
    ended = asyncio.Event()

    async def ask(_seconds: float) -> str:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await settled()
            ended.set()
            raise OverloadedError("even that", retry_after=1)

    caller = asyncio.create_task(SingleFlight().share(SAME, ask, seconds=60))
    await settled()
    await left(caller)
    assert ended.is_set()


def test_texts_are_told_apart() -> None:
    """By their contents and their borders; nothing makes a fingerprint of none."""
    texts = [(), ("ab",), ("a", "b"), ("", "ab"), ("\ud800",)]
    assert len({narrowed(SAME, each) for each in texts}) == len(texts)
    assert narrowed(None, ("ab",)) is None
    assert narrowed(SAME, ("abc", "d")) != narrowed(SAME + b"3:abc", ("d",))


STEPS = st.one_of(
    st.tuples(st.just("come"), st.sampled_from([b"a", b"b"])),
    st.tuples(st.sampled_from(["leave", "answer", "fail"]), st.integers(0, 9)),
    st.tuples(st.sampled_from(["tick", "settle", "forget"]), st.none()),
)


JUST_ENDED = [("come", b"a"), ("settle", None), ("fail", 0), ("tick", None), ("leave", 0)]


@example(JUST_ENDED)
@given(st.lists(STEPS, max_size=40))
def test_whatever_callers_do(steps: list[tuple[str, bytes | int | None]]) -> None:
    """Nobody who stays is without an outcome, and nothing is asked that nobody waits for."""
    asyncio.run(_without_mishap(_play(steps)))


async def _without_mishap(play: Coroutine[None, None, None]) -> None:
    """Play, and see that the event loop found nothing to complain of."""
    mishaps: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, mishap: mishaps.append(mishap))
    await play
    gc.collect(0)  # a failure that nobody looked at is complained of when it goes
    assert mishaps == []


async def _play(steps: list[tuple[str, bytes | int | None]]) -> None:
    callers, here, forgotten = Callers(), [], 0
    for what, which in steps:
        busy = callers.upstream.busy
        if isinstance(which, bytes):
            here.append(
                asyncio.create_task(callers.flights.share(which, callers.upstream.ask, seconds=60))
            )
        elif what == "leave" and here:
            here[(which or 0) % len(here)].cancel()
        elif what == "answer" and busy:
            busy[(which or 0) % len(busy)].set_result("full")
        elif what == "fail" and busy:
            busy[(which or 0) % len(busy)].set_exception(AllProvidersFailedError("nobody"))
        elif what == "forget":
            callers.flights.forget()
            forgotten += 1
        elif what == "tick":
            await asyncio.sleep(0)
        elif what == "settle":
            await settled()
            waiting = [caller for caller in here if not caller.done()]
            assert len(callers.upstream.busy) <= min(2 + 2 * forgotten, len(waiting))
            assert bool(waiting) == bool(callers.upstream.busy)
    await settled()
    for answer in callers.upstream.busy:
        answer.set_result("full")
    outcomes = await asyncio.gather(*here, return_exceptions=True)
    failures = [error for error in outcomes if isinstance(error, AllProvidersFailedError)]
    assert len(failures) == len(set(map(id, failures)))
    assert callers.flights.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
