"""Work that is raced against its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from faultmaven.api.disconnect import unless_gone
from faultmaven.api.refusals import ClientGoneError

Message = dict[str, Any]


def messages(*coming: Message) -> Callable[[], Awaitable[Message]]:
    """Make a channel that gives these and then waits for ever."""
    left = list(coming)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


async def answer() -> str:
    """Answer at once."""
    return "done"


class Work:
    """Work that takes for ever, and time to end."""

    def __init__(self) -> None:
        self.ended = False

    async def run(self) -> str:
        """Wait, and tidy up when told to stop."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True
        return "never"


async def test_whoever_waits_gets_the_result() -> None:
    """The caller stays, the work ends: its result, and nothing is left running."""
    assert await unless_gone(messages(), answer()) == "done"
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_who_leaves_as_the_work_ends_interrupts_nothing_that_follows() -> None:
    """Whatever the order of the two, the result stands, and so does what comes after it."""
    for turns in range(6):
        left = asyncio.Event()

        async def receive(left: asyncio.Event = left) -> Message:
            await left.wait()
            return {"type": "http.disconnect"}

        async def work(left: asyncio.Event = left, turns: int = turns) -> str:
            await asyncio.sleep(0)
            left.set()
            for _ in range(turns):
                await asyncio.sleep(0)
            return "done"

        try:
            assert await unless_gone(receive, work()) == "done"
        except ClientGoneError:
            assert turns > 1
        for _ in range(5):
            await asyncio.sleep(0)


async def test_who_has_left_already_interrupts_nothing_that_is_done_at_once() -> None:
    """Work that waits for nothing gives its result, and nothing after it is disturbed."""
    assert await unless_gone(messages({"type": "http.disconnect"}), answer()) == "done"
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_channel_that_waits_in_any_way_is_understood() -> None:
    """Whether it lets go of the event loop, waits for something, or for one thing after another."""

    async def receive() -> Message:
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        async with asyncio.Lock():
            await asyncio.wait({asyncio.create_task(asyncio.sleep(0))})
        return {"type": "http.disconnect"}

    work = Work()
    with pytest.raises(ClientGoneError):
        await unless_gone(receive, work.run())
    assert work.ended


async def test_a_channel_that_is_given_up_tidies_up() -> None:
    """Who waits for the caller to leave is told when that does not matter any more."""
    tidied = asyncio.Event()

    async def receive() -> Message:
        try:
            await asyncio.Event().wait()
        finally:
            tidied.set()
        raise AssertionError("for ever is over")

    assert await unless_gone(receive, answer()) == "done"
    assert tidied.is_set()


async def test_two_reasons_to_end_are_not_taken_for_one() -> None:
    """A server that stops while the caller leaves has its cancellation heard."""
    left = asyncio.Event()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    serving = asyncio.create_task(unless_gone(receive, Work().run()))
    await asyncio.sleep(0.01)
    left.set()
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_an_error_of_the_work_is_the_callers() -> None:
    """What the work raises is raised."""

    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await unless_gone(messages(), fail())


async def test_leaving_ends_the_work_before_anything_else_happens() -> None:
    """When it returns, the work has tidied up; a stray message before does not count."""
    work = Work()
    channel = messages({"type": "http.request", "body": b""}, {"type": "http.disconnect"})
    with pytest.raises(ClientGoneError):
        await unless_gone(channel, work.run())
    assert work.ended


async def test_a_server_that_stops_ends_the_work_too() -> None:
    """Cancelling the request itself reaches the work and leaves nothing behind."""
    work = Work()
    serving = asyncio.create_task(unless_gone(messages(), work.run()))
    await asyncio.sleep(0.01)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert work.ended
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_a_channel_that_breaks_is_a_departure() -> None:
    """Whatever it raises, at once or later, ends the work, and is no matter for the event loop."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    for turns in range(3):
        for error in (OSError("reset"), asyncio.CancelledError()):

            async def receive(turns: int = turns, error: BaseException = error) -> Message:
                for _ in range(turns):
                    await asyncio.sleep(0)
                raise error

            work = Work()
            with pytest.raises(ClientGoneError):
                await unless_gone(receive, work.run())
            assert work.ended
    assert complaints == []


class Server:
    """A server that tells of departures itself."""

    def __init__(self) -> None:
        self.whom: Callable[[], object] | None = None

    def tell(self, whom: Callable[[], object] | None) -> None:
        """Remember whom to tell."""
        self.whom = whom

    def lose(self) -> None:
        """The connection ends."""
        if self.whom is not None:
            self.whom()


async def test_a_server_that_tells_of_departures_is_heard() -> None:
    """The work ends as it does by the channel, which nobody asks."""
    server, work = Server(), Work()
    asyncio.get_running_loop().call_later(0.01, server.lose)
    with pytest.raises(ClientGoneError):
        await unless_gone(messages({"type": "http.disconnect"}), work.run(), tell=server.tell)
    assert work.ended


async def test_a_server_is_told_when_nobody_cares_any_more() -> None:
    """Once there is a result, a departure disturbs nothing."""
    server = Server()
    assert await unless_gone(messages(), answer(), tell=server.tell) == "done"
    assert server.whom is None
