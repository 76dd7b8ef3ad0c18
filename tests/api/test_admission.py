"""Beyond what the service takes on it refuses at once, and what it took on it finishes."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from api.live import live_client
from api.service import (
    QUESTION,
    TROUBLESHOOT,
    Recorder,
    Stuck,
    client_of,
    container_of,
    problem,
    sample,
)
from faultmaven.api.admission import BOUNDED, AdmissionMiddleware, Room
from faultmaven.errors import OverloadedError
from observability.log_of_tests import log_to_text

FULL = {"MAX_IN_FLIGHT": "1", "MAX_QUEUE": "0"}
CHAT: dict[str, Any] = {"model": "one", "messages": [{"role": "user", "content": "?"}]}
BODIES = {
    "/api/v1/query": QUESTION,
    TROUBLESHOOT: QUESTION,
    "/v1/chat/completions": CHAT,
    "/v1/embeddings": {"model": "one", "input": "?"},
    "/v1/messages": {**CHAT, "max_tokens": 5},
}


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Held:
    """A service whose only place is taken by a question that is never answered."""

    def __init__(self, folder: Path) -> None:
        self.agent = Stuck()
        self.container = container_of(folder, variables=FULL, agent=self.agent)

    async def take(self, client: httpx.AsyncClient) -> asyncio.Task[httpx.Response]:
        """Take the place."""
        held = asyncio.create_task(client.post(TROUBLESHOOT, json=QUESTION))
        async with asyncio.timeout(20):
            await self.agent.began.wait()
        return held


async def release(held: asyncio.Task[httpx.Response]) -> None:
    """Leave, as a caller who does not wait any longer."""
    held.cancel()
    with suppress(asyncio.CancelledError):
        await held


async def test_a_refusal_is_a_problem_with_retry_after(tmp_path: Path) -> None:
    """503, when to come back, what to do; nobody is asked, and it is counted by operation."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        task = await held.take(client)
        refused = await client.post(TROUBLESHOOT, json=QUESTION)
        shed = await sample(client, "faultmaven_requests_shed_total", route=TROUBLESHOOT)
        await release(task)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert problem(refused)["error_class"] == "overloaded"
    assert "MAX_IN_FLIGHT" in problem(refused)["hint"]
    assert problem(refused)["instance"] == TROUBLESHOOT
    assert shed == 1


@pytest.mark.parametrize("path", sorted(BOUNDED))
async def test_each_refusal_has_the_id_of_its_own_request(tmp_path: Path, path: str) -> None:
    """What is written once and sent again and again names nobody else's request."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        task = await held.take(client)
        refused = [
            await client.post(path, json=BODIES[path], headers={"X-Request-ID": name})
            for name in ("req-1a", "req-2b")
        ]
        await release(task)
    for name, answer in zip(("req-1a", "req-2b"), refused, strict=True):
        assert answer.headers["x-request-id"] == name
        assert "to-be-named" not in answer.text + repr(answer.headers)
    told = [answer.text.replace(answer.headers["x-request-id"], "") for answer in refused]
    assert told[0] == told[1]


async def test_further_refusals_are_as_the_first(tmp_path: Path) -> None:
    """They are written at the door, and say, count and time the same."""
    held, name = Held(tmp_path), {"X-Request-ID": "req-1"}
    async with live_client(held.container) as client:
        task = await held.take(client)
        refused = [await client.post(TROUBLESHOOT, json=QUESTION, headers=name) for _ in range(3)]
        counted = [
            await sample(client, f"faultmaven_{what}", route=TROUBLESHOOT, **further)
            for what, further in (
                ("requests_shed_total", {}),
                ("requests_total", {"status": "503"}),
                ("request_duration_seconds_count", {"status": "503"}),
            )
        ]
        in_flight = await sample(client, "faultmaven_requests_in_flight")
        elsewhere = await client.post(TROUBLESHOOT, json=QUESTION, headers={"Host": "elsewhere"})
        await release(task)
    told = [dict(answer.headers) | {"said": answer.text} for answer in refused]
    for one in told:
        assert float(one.pop("x-faultmaven-overhead-ms")) >= 0
        del one["date"]
    assert told[0] == told[1] == told[2]
    assert counted == [3, 3, 3]
    assert in_flight == 2  # the one that is held, and the one that asks
    assert elsewhere.status_code == 421


async def test_whoever_was_let_in_counts_before_a_place_is_taken() -> None:
    """Of many that come in one turn of the event loop no more are let in than there is room for."""
    room = Room(places=2, queue=1)
    await room.enter()
    assert not room.is_full
    for _ in range(2):
        room.expect()
    assert room.is_full
    await asyncio.sleep(0)
    assert not room.is_full  # they did not come: refused elsewhere, or gone
    room.leave()


async def test_more_places_are_for_those_who_wait_as_well() -> None:
    """A reload that makes more of them is noticed by the next who comes, whoever is in flight."""
    places = 1
    room = Room(places=lambda: places, queue=2, longest_wait=20)
    await room.enter()
    waiting = asyncio.create_task(room.enter())
    await settled()
    places = 3
    async with asyncio.timeout(5):
        await room.enter()
        await waiting
    assert (room.taken, room.waiting) == (3, 0)


async def test_who_looks_closely_sees_each_refusal(tmp_path: Path) -> None:
    """At debug level each has a line with its id, those of the door too."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        task = await held.take(client)
        with log_to_text("json", level="debug") as written:
            for name in ("req-1", "req-2"):
                await client.post(TROUBLESHOOT, json=QUESTION, headers={"X-Request-ID": name})
            await client.get("/health/live", headers={"X-Request-ID": "req-3"})
            await asyncio.sleep(0.05)
        await release(task)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = [line for line in lines if line.get("event") == "request"]
    assert [(line["request_id"], line["status"]) for line in told] == [
        ("req-1", 503),
        ("req-2", 503),
        ("req-3", 200),
    ]
    assert set(told[1]) == set(told[0]) - {"detail"}
    assert told[1]["route"] == TROUBLESHOOT


@pytest.mark.parametrize("path", sorted(BOUNDED))
@pytest.mark.parametrize("slash", ["", "/"])
async def test_every_operation_that_asks_is_bounded(tmp_path: Path, path: str, slash: str) -> None:
    """Each refuses in the form of its own protocol, with or without a slash at the end."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        task = await held.take(client)
        refused = await client.post(path + slash, json=BODIES[path])
        await release(task)
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert ("error" in refused.json()) == path.startswith("/v1/")
    assert held.container.metrics.expose()[0].decode().count("requests_shed_total{") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/health/live",
        "/health/ready",
        "/health/dependencies",
        "/metrics",
        "/api/v1/providers",
        "/v1/models",
        "/docs",
        "/openapi.json",
    ],
)
async def test_what_asks_nobody_is_never_shed(tmp_path: Path, path: str) -> None:
    """Health, metrics and catalogues answer however full the service is."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        task = await held.take(client)
        answer = await client.get(path)
        await release(task)
    assert answer.status_code == 200


async def test_a_caller_who_leaves_frees_the_place(tmp_path: Path) -> None:
    """When the caller hangs up, the next one is taken on."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        await release(await held.take(client))
        async with asyncio.timeout(20):
            await held.agent.cancelled.wait()
        held.agent.began.clear()
        await release(await held.take(client))


async def test_one_after_the_other_all_fit(tmp_path: Path) -> None:
    """Every answer gives its place back, also one that is an error."""
    container = container_of(tmp_path, variables=FULL, agent=Recorder())
    async with client_of(container) as client:
        answers = [
            await client.post(TROUBLESHOOT, json=body) for body in [QUESTION, {}, QUESTION] * 3
        ]
    assert [answer.status_code for answer in answers] == [200, 422, 200] * 3


async def test_a_refusal_reads_no_byte_of_the_body(tmp_path: Path) -> None:
    """Whoever is refused need not have sent anything but the head."""
    held = Held(tmp_path)
    async with live_client(held.container) as client:
        task = await held.take(client)
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        head = f"POST {TROUBLESHOOT} HTTP/1.1\r\nHost: localhost\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n".encode())
        async with asyncio.timeout(20):
            status = await reader.readline()
        writer.close()
        await release(task)
    assert b" 503 " in status


async def test_the_queue_is_served_in_order() -> None:
    """Whoever waits longest gets the next place."""
    room, order = Room(places=1, queue=3), list[int]()

    async def visit(number: int) -> None:
        await room.enter()
        order.append(number)
        room.leave()

    await room.enter()
    visits = [asyncio.create_task(visit(number)) for number in range(3)]
    await settled()
    assert room.waiting == 3
    room.leave()
    await asyncio.gather(*visits)
    assert order == [0, 1, 2]
    assert (room.taken, room.waiting) == (0, 0)


async def test_beyond_the_queue_nobody_waits() -> None:
    """A full queue refuses without giving the loop away once."""
    room = Room(places=1, queue=1)
    await room.enter()
    waiting = asyncio.create_task(room.enter())
    await settled()
    with pytest.raises(OverloadedError) as refused:
        room.enter().send(None)
    assert refused.value.retry_after == 1
    room.leave()
    await waiting


async def test_a_queue_that_does_not_move_refuses() -> None:
    """Nobody waits longer than the longest wait, and the place in the queue is free again."""
    room = Room(places=1, queue=1, longest_wait=0.01)
    await room.enter()
    with pytest.raises(OverloadedError):
        await room.enter()
    assert (room.taken, room.waiting) == (1, 0)


async def test_bounds_may_change_meanwhile() -> None:
    """A higher bound counts at once; a lower one cuts nobody off."""
    places = 1
    room = Room(places=lambda: places, queue=0)
    await room.enter()
    places = 2
    await room.enter()
    places = 1
    room.leave()
    with pytest.raises(OverloadedError):
        await room.enter()
    room.leave()
    await room.enter()
    assert room.taken == 1


@given(
    st.lists(st.sampled_from(["enter", "leave", "give up"]), max_size=40),
    st.integers(1, 4),
    st.integers(0, 4),
)
def test_places_are_never_lost_nor_invented(steps: list[str], places: int, queue: int) -> None:
    """However callers come, go and give up: bounds hold, nobody waits beside a free place."""

    async def play() -> None:
        room, visits = Room(places=places, queue=queue, longest_wait=60), list[Any]()
        inside = 0

        async def visit(gone: asyncio.Event) -> None:
            nonlocal inside
            with suppress(OverloadedError):
                await room.enter()
                inside += 1
                try:
                    await gone.wait()
                finally:
                    inside -= 1
                    room.leave()

        for step in steps:
            if step == "enter":
                gone = asyncio.Event()
                visits.append((asyncio.create_task(visit(gone)), gone))
            elif visits:
                task, gone = visits.pop(len(visits) // 2)
                gone.set() if step == "leave" else task.cancel()
            if step != "give up":  # so that giving up also meets a place just given
                await settled()
                assert room.taken == inside <= places
                assert room.waiting <= queue
                assert not room.waiting or room.taken == places
        for _, gone in visits:
            gone.set()
        await asyncio.gather(*(task for task, _ in visits))
        await settled()
        assert (room.taken, room.waiting, inside) == (0, 0, 0)

    asyncio.run(play())


@pytest.mark.parametrize(("places", "at_once"), [(100, 30), (32, 16 + 8)])
async def test_turns_are_taken_only_where_it_may_soon_be_full(places: int, at_once: int) -> None:
    """While half of the places are free whoever comes begins at once, later few in each turn."""
    begun: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.append(scope)
        await asyncio.sleep(0)  # each keeps its place for a while

    async def silent(*_: object) -> Any:
        """Nothing is received or sent."""

    room = Room(places=places, queue=0)
    guarded = AdmissionMiddleware(app, room=room, on_shed=lambda _path: None)
    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
    callers = [asyncio.create_task(guarded(scope, silent, silent)) for _ in range(30)]
    await asyncio.sleep(0)
    first = len(begun)
    await asyncio.gather(*callers)
    assert (first, len(begun), room.taken) == (at_once, 30, 0)
