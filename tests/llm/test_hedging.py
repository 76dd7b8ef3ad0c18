"""Two providers asked at once: the first usable answer wins, and nobody is blamed for losing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from doubles import Fail
from faultmaven.errors import (
    AllProvidersFailedError,
    ChainError,
    ContextLengthError,
    ProviderAuthError,
    ProviderError,
    ProviderOverloadedError,
    ProviderRequestError,
    QuotaExceededError,
    RequestRejectedError,
)
from faultmaven.models.prompt import Message, Prompt, Target
from faultmaven.models.stream import Beginning
from llm.hedging_doubles import MODEL, Hedged, Player, hedged
from llm.streaming_doubles import Listener

_STEPS = 40  # of the event loop; a race of these players takes some fifteen
_OVERLOADED = Fail(ProviderOverloadedError, prefers_next=True)

both_ways = pytest.mark.parametrize("live", [False, True], ids=["plain", "live"])


def _asked(listener: Listener, *, live: bool) -> dict[str, Any]:
    return {"listener": listener} if live else {}


@both_ways
async def test_the_next_one_answers_for_a_slow_one(*, live: bool) -> None:
    """The slow one is cancelled, told as lost, blamed for nothing, and not heard."""
    one, two, listener = Player(waits=True), Player("It is DNS."), Listener()
    chain = hedged({"one": one, "two": two}, usual=1.0)
    answer = await chain.router.generate("Why?", **_asked(listener, live=live))
    assert (answer.provider, answer.content) == ("two", "It is DNS.")
    lost, won = answer.attempts
    assert (lost.provider, lost.outcome, lost.next_because) == ("one", "lost", "hedge")
    assert (lost.succeeded, lost.detail, lost.confidence) == (False, "two was first", None)
    assert (won.provider, won.outcome, won.next_because) == ("two", "ok", None)
    assert won.queue_ms == 1.0, "it was kept waiting for as long as the first was given"
    seen = chain.witness.seen
    assert seen[:2] == [("start", "one"), ("start", "two")]
    assert set(seen[2:4]) == {("cancel", "one"), ("attempt", "two", "ok")}
    assert seen[4:] == [("hedge", "one", "two", "won"), ("answer", "two")]
    assert one.left == 1
    assert chain.is_free("one")
    assert chain.is_free("two")
    if live:
        beginning = next(item for item in listener.heard if isinstance(item, Beginning))
        assert [attempt.outcome for attempt in beginning.attempts] == ["lost"]
        assert beginning.queue_ms > 0  # the patience with the first
        assert (listener.beginnings, listener.text.strip()) == (["two"], "It is DNS.")


@both_ways
async def test_the_slow_one_may_still_be_first(*, live: bool) -> None:
    """Being asked beside it is no head start: then the second is the one that lost."""
    one = Player(waits=True)
    two = Player(waits=True, on_asked=one.go.set)
    chain, listener = hedged({"one": one, "two": two}), Listener()
    answer = await chain.router.generate("Why?", **_asked(listener, live=live))
    assert answer.provider == "one"
    assert [(a.provider, a.outcome) for a in answer.attempts] == [("two", "lost"), ("one", "ok")]
    assert ("hedge", "one", "two", "lost") in chain.witness.seen
    assert ("cancel", "two") in chain.witness.seen
    assert two.left == 1
    assert chain.is_free("two")
    assert listener.beginnings == (["one"] if live else [])


@pytest.mark.parametrize(
    ("circumstances", "options"),
    [
        ({"percent": None}, {}),
        ({"samples": 19}, {}),
        ({"calls": 18}, {}),
        ({"usual": 3_600_000.0}, {}),
        ({"usual": 59_000.0}, {}),
        ({}, {"max_cost_usd": 1.0}),
        ({}, {"providers": ["one"]}),
    ],
    ids=["off", "unknown", "budget", "late", "patient", "cost", "alone"],
)
@both_ways
async def test_when_nobody_is_asked_beside(
    circumstances: dict[str, Any], options: dict[str, Any], *, live: bool
) -> None:
    """Without a wish, knowledge, money, time or somebody to ask, the slow one is waited for."""
    one, two = Player(steps=10), Player()
    chain = hedged({"one": one, "two": two}, **circumstances)
    answer = await chain.router.generate("Why?", **_asked(Listener(), live=live), **options)
    assert (answer.provider, len(answer.attempts)) == ("one", 1)
    assert not two.asked
    assert not [event for event in chain.witness.seen if event[0] in {"hedge", "cancel"}]


async def test_nobody_is_asked_beside_one_that_speaks() -> None:
    """However long the rest of an answer takes, its first word was quick."""
    one, two = Player(lingers=12), Player()
    chain, listener = hedged({"one": one, "two": two}), Listener()
    answer = await chain.router.generate("Why?", listener=listener)
    assert (answer.provider, len(two.asked)) == ("one", 0)


@both_ways
async def test_at_whatever_moment_the_slow_one_answers(*, live: bool) -> None:
    """Also just when the other one is about to be asked: the books balance, nobody is left."""
    outcomes = set()
    for steps in range(_STEPS):
        one, two = Player(steps=steps), Player(steps=9)
        chain = hedged({"one": one, "two": two})
        answer = await chain.router.generate("Why?", **_asked(Listener(), live=live))
        told = [event[0] for event in chain.witness.seen]
        assert told.count("start") == len(answer.attempts) == len(one.asked) + len(two.asked)
        assert told.count("start") == told.count("attempt") + told.count("cancel")
        assert chain.is_free("one")
        assert chain.is_free("two")
        outcomes.add(tuple(attempt.outcome for attempt in answer.attempts))
    assert outcomes == {("ok",), ("lost", "ok")}


async def test_who_is_left_alone_is_not_asked_beside() -> None:
    """A provider that is set aside or full is passed over, and stays in its place."""
    one, two, three = Player(steps=20), Player(), Player("It is DNS.")
    chain = hedged({"one": one, "two": two, "three": three})
    busy = chain.gate.enter("two", MODEL)
    assert busy is not None
    answer = await chain.router.generate("Why?")
    assert (answer.provider, len(two.asked), len(three.asked)) == ("three", 0, 1)


async def test_the_last_resort_is_not_asked_beside() -> None:
    """Whoever is asked for want of anybody else is not asked while somebody else is."""
    one, two = Player(steps=20), Player()
    chain = hedged({"one": one, "two": two})
    entry = chain.gate.enter("two", MODEL)
    assert entry is not None
    entry.failed(QuotaExceededError("no money left"))
    answer = await chain.router.generate("Why?")
    assert (answer.provider, len(two.asked)) == ("one", 0)


async def test_an_unsure_answer_does_not_win() -> None:
    """A plain answer below the threshold is kept, and the other one waited for."""
    one = Player("It is DNS.", waits=True)
    two = Player(prior=0.3, on_asked=one.go.set)
    chain = hedged({"one": one, "two": two})
    answer = await chain.router.generate("Why?")
    assert (answer.provider, answer.stopped_because) == ("one", "threshold_met")
    outcomes = [(a.provider, a.outcome, a.next_because) for a in answer.attempts]
    assert outcomes == [("two", "ok", None), ("one", "ok", "hedge")]
    assert one.left == 0


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.3), (0.3, 0.5)])
async def test_of_two_unsure_answers_the_surest_is_kept(first: float, second: float) -> None:
    """Whoever came first: the better one is returned, or the next provider asked."""
    one = Player("One.", waits=True, prior=first)
    two = Player("Two.", prior=second, on_asked=one.go.set)
    chain = hedged({"one": one, "two": two, "three": Player("Three.", prior=0.1)})
    answer = await chain.router.generate("Why?")
    assert answer.provider == ("one" if first > second else "two")
    assert [attempt.provider for attempt in answer.attempts] == ["two", "one", "three"]
    assert ("hedge", "one", "two", "neither") in chain.witness.seen
    assert ("fallback", "one", "three", "low_confidence") in chain.witness.seen


@both_ways
async def test_a_second_that_fails_changes_nothing(*, live: bool) -> None:
    """The slow one goes on; the failure counts, and is in the answer's attempts."""
    one = Player(waits=True)
    two = Player(fails=[_OVERLOADED], on_asked=one.go.set)
    chain, listener = hedged({"one": one, "two": two}), Listener()
    answer = await chain.router.generate("Why?", **_asked(listener, live=live))
    outcomes = [(a.provider, a.outcome, a.next_because) for a in answer.attempts]
    assert outcomes == [("two", "overloaded", None), ("one", "ok", "hedge")]
    assert ("attempt", "two", "overloaded") in chain.witness.seen
    if live:
        beginning = next(item for item in listener.heard if isinstance(item, Beginning))
        assert [attempt.provider for attempt in beginning.attempts] == ["two"]


@both_ways
async def test_a_second_is_there_when_the_first_fails(*, live: bool) -> None:
    """Then it is what a fallback would have been, only earlier."""
    two = Player(waits=True)
    one = Player(steps=12, fails=[_OVERLOADED])
    chain = hedged({"one": one, "two": two})
    work = asyncio.create_task(
        chain.router.generate("Why?", **_asked(Listener(), live=live)),
    )
    await _steps(_STEPS)
    two.go.set()
    answer = await work
    outcomes = [(a.provider, a.outcome, a.next_because) for a in answer.attempts]
    assert outcomes == [("one", "overloaded", "hedge"), ("two", "ok", None)]
    assert ("hedge", "one", "two", "won") in chain.witness.seen


async def test_when_both_fail_the_chain_goes_on() -> None:
    """The next one is asked, once; nobody is asked a second time by the walk."""
    one = Player(waits=True, fails=[Fail(ProviderAuthError)])
    two = Player(fails=[_OVERLOADED], on_asked=one.go.set)
    chain = hedged({"one": one, "two": two, "three": Player("It is DNS.")})
    answer = await chain.router.generate("Why?")
    assert [(a.provider, a.outcome) for a in answer.attempts] == [
        ("two", "overloaded"),
        ("one", "auth"),
        ("three", "ok"),
    ]
    assert ("fallback", "one", "three", "auth") in chain.witness.seen


async def test_who_failed_last_may_be_asked_again() -> None:
    """With nobody left, a failure that is worth a retry gets one, whoever of the two it was."""
    one = Player(steps=12, fails=[Fail(ProviderAuthError)])
    two = Player("It is DNS.", waits=True, fails=[Fail(ProviderOverloadedError)])
    chain = hedged({"one": one, "two": two})
    work = asyncio.create_task(chain.router.generate("Why?"))
    await _steps(_STEPS)
    two.go.set()
    answer = await work
    outcomes = [(a.provider, a.number, a.outcome, a.next_because) for a in answer.attempts]
    assert outcomes == [
        ("one", 1, "auth", "hedge"),
        ("two", 1, "overloaded", "retry"),
        ("two", 2, "ok", None),
    ]


@pytest.mark.parametrize(
    ("kind", "other", "error"),
    [
        (ProviderRequestError, ProviderOverloadedError, RequestRejectedError),
        (ContextLengthError, ProviderAuthError, AllProvidersFailedError),
    ],
)
async def test_what_either_says_of_the_request_counts(
    kind: type[ProviderError], other: type[ProviderError], error: type[ChainError]
) -> None:
    """A request found wrong is asked of nobody any more; one too long of no smaller window."""
    one = Player(waits=True, fails=[Fail(other)])
    two = Player(fails=[Fail(kind)], on_asked=one.go.set)
    rows = {name: {"context_window": 4096} for name in ("one", "two", "three")}
    chain = hedged({"one": one, "two": two, "three": Player()}, rows=rows)
    with pytest.raises(error):
        await chain.router.generate("Why?")
    assert [attempt.provider for attempt in chain.witness.attempts] == ["two", "one"]


@both_ways
@pytest.mark.parametrize("fails", [[], [Fail(ProviderAuthError)]], ids=["answers", "fails"])
@pytest.mark.parametrize("prior", [None, 0.1])
async def test_who_does_not_obey_is_not_heard(
    prior: float | None, fails: list[Fail], *, live: bool
) -> None:
    """A provider that goes on although it lost neither speaks nor counts, well or badly."""
    one = Player("Too late.", waits=True, deaf=True, fails=list(fails), prior=prior)
    chain, listener = hedged({"one": one, "two": Player()}), Listener()
    answer = await chain.router.generate("Why?", **_asked(listener, live=live))
    assert (answer.provider, one.left) == ("two", 1)
    assert [(a.provider, a.outcome) for a in answer.attempts] == [("one", "lost"), ("two", "ok")]
    assert [attempt.provider for attempt in chain.witness.attempts] == ["two"]
    assert listener.text.strip() == ("The disk is full." if live else "")
    assert chain.is_free("one")


@both_ways
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("second", ["answers", "waits", "fails"])
async def test_no_moment_to_leave_leaves_anything_behind(
    second: str, *, again: bool, live: bool
) -> None:
    """After each step of the loop: no task, no place taken, nobody blamed, every start ended."""
    for steps in range(_STEPS):
        fails = [_OVERLOADED] if second == "fails" else []
        one = Player(waits=True)
        two = Player(steps=3, waits=second == "waits", fails=fails)
        chain = hedged({"one": one, "two": two})
        await _leave_after(steps, chain, again=again, **_asked(Listener(), live=live))
        assert len(asyncio.all_tasks()) == 1
        assert chain.is_free("one")
        assert chain.is_free("two")
        told = [event[0] for event in chain.witness.seen]
        assert told.count("start") == told.count("attempt") + told.count("cancel")


async def _steps(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _leave_after(steps: int, chain: Hedged, *, again: bool, **options: Any) -> None:
    asking = asyncio.create_task(chain.router.generate("Why?", **options))
    await _steps(steps)
    asking.cancel()
    if again:
        await asyncio.sleep(0)
        asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


@both_ways
async def test_at_most_one_call_in_twenty_is_an_extra_one(*, live: bool) -> None:
    """However slow somebody is for however many at once."""
    one, two = Player(steps=12), Player(steps=1)
    chain = hedged({"one": one, "two": two}, calls=0)
    for _ in range(300):
        await chain.router.generate("Why?", **_asked(Listener(), live=live))
        assert len(two.asked) * 20 <= len(one.asked)
    assert len(two.asked) == 15
    chain = hedged({"one": Player(steps=12), "two": Player(steps=1)}, calls=10_000)
    for _ in range(30):
        await chain.router.generate("Why?", **_asked(Listener(), live=live))
    assert len(chain.witness.answers) == 30
    hedges = [event for event in chain.witness.seen if event[0] == "hedge"]
    assert len(hedges) == 11, "ten were saved up, and thirty calls paid for one"


async def test_each_provider_gets_a_prompt_of_its_own() -> None:
    """The one beside is written to, and redacted for, as any other is."""

    def render(target: Target) -> Prompt:
        text = f"For {target.provider}: password=hunter2-hunter2"
        return Prompt(messages=(Message("user", text),))

    one, two = Player(waits=True), Player()
    chain = hedged({"one": one, "two": two})
    await chain.router.generate("", render=render)
    sent = [request.messages[0].text for request in (*one.asked, *two.asked)]
    assert [text.partition(":")[0] for text in sent] == ["For one", "For two"]
    assert not [text for text in sent if "hunter2" in text]


async def test_a_provider_that_cancels_itself_ends_the_request() -> None:
    """As without another one to ask; nothing is left behind."""

    class Quitter(Player):
        async def play(self, request: Any, ear: Any) -> Any:
            del request, ear
            raise asyncio.CancelledError

    chain = hedged({"one": Quitter(), "two": Player()})
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(chain.router.generate("Why?"))
    assert chain.is_free("one")


@both_ways
async def test_a_listener_s_own_failure_comes_through(*, live: bool) -> None:
    """What goes wrong on our side is raised as it is, and ends both attempts."""

    class Broken(Listener):
        async def on_begin(self, beginning: Beginning) -> None:
            raise ZeroDivisionError(beginning.provider)

        async def on_attempt(self, attempt: Any) -> None:
            raise ZeroDivisionError(attempt.provider)

    one = Player(waits=True)
    chain = hedged({"one": one, "two": Player()})
    held = {} if live else {"confidence_threshold": 0.5}
    with pytest.raises(ZeroDivisionError):
        await chain.router.generate("Why?", listener=Broken(), **held)
    assert one.left == 1
    assert chain.is_free("one")
    assert chain.is_free("two")


async def test_one_more_answer_makes_a_provider_known() -> None:
    """Times are learnt from answers, by model, and forgotten where the provider changes."""
    chain = hedged({"one": Player(), "two": Player()}, samples=19)
    assert chain.hedging.asked("one", MODEL, live=False) is None
    await chain.router.generate("Why?")
    assert chain.hedging.asked("one", MODEL, live=False) == 0.0
    assert chain.hedging.asked("one", MODEL, live=True) is None
    assert chain.hedging.asked("one", "another", live=False) is None
    chain.hedging.forget("one")
    assert chain.hedging.asked("one", MODEL, live=False) is None


async def test_how_long_a_loser_was_given_is_learnt() -> None:
    """Two that took five seconds in vain are among the slowest of twenty-two."""
    one, two = Player(waits=True), Player()
    chain = hedged({"one": one, "two": two})

    def take_long() -> None:
        chain.time.now += 5.0

    two.on_asked = take_long
    for _ in range(2):
        await chain.router.generate("Why?")
    assert chain.hedging.asked("one", MODEL, live=False) == 5.0
