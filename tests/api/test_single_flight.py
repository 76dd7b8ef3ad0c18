"""Identical requests in flight at the same time, as their callers see them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.chatting import ASKED, CHAT
from api.live import live_client
from api.service import QUESTION, TROUBLESHOOT, Container, client_of, container_of, sample
from doubles import HandWritten, hand_written, row
from faultmaven.models.interfaces import LLMResponse

MESSAGES = "/v1/messages"
BODIES: Mapping[str, dict[str, Any]] = {
    CHAT: ASKED,
    MESSAGES: {**ASKED, "max_tokens": 99},
    TROUBLESHOOT: QUESTION,
}
SHARED = "faultmaven_requests_shared_total"


class Held:
    """A provider that answers when the test lets it, behind the real chain."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.asked = 0
        self.given_up = asyncio.Event()

    def container(self, folder: Path, **variables: str) -> Container:
        """Compose a service over it."""
        rows = {"one": row(hand_written(self._answer), timeout=60)}
        return container_of(folder, rows=rows, variables=variables)

    async def until_asked(self, times: int = 1) -> None:
        """Wait until it has been asked so often."""
        await until(lambda: self.asked >= times)

    async def _answer(self, _provider: HandWritten) -> LLMResponse:
        self.asked += 1
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        return LLMResponse("The disk is full.", 0.9, "one", "model-1", 7, 5)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what happens on this event loop and tells nobody."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)


async def in_flight(client: httpx.AsyncClient, number: float) -> None:
    """Wait until so many requests are being served, beside the one that looks."""
    async with asyncio.timeout(20):
        while await sample(client, "faultmaven_requests_in_flight") < number + 1:
            pass


@pytest.mark.parametrize("path", BODIES)
async def test_one_question_and_an_answer_for_each(tmp_path: Path, path: str) -> None:
    """Three callers cost one attempt; each has an id of its own and an honest overhead."""
    held = Held()
    async with client_of(held.container(tmp_path)) as client:

        def ask(number: int) -> Any:
            headers = {"x-request-id": f"req-{number}", "authorization": "Bearer mine"}
            return client.post(path, json=BODIES[path], headers=headers)

        began = time.monotonic()
        asking = [asyncio.create_task(ask(number)) for number in range(3)]
        await held.until_asked()
        await in_flight(client, 3)
        await asyncio.sleep(0.3)
        waited = (time.monotonic() - began) * 1000
        held.let_go.set()
        answers = await asyncio.gather(*asking)
        assert await sample(client, SHARED) == 2
        labels = {"provider": "one", "model": "default", "outcome": "ok"}
        assert await sample(client, "faultmaven_attempts_total", **labels) == 1
    assert held.asked == 1
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.headers["x-request-id"] for answer in answers] == ["req-0", "req-1", "req-2"]
    assert max(float(answer.headers["x-faultmaven-overhead-ms"]) for answer in answers) < waited


DIFFERENT: Mapping[str, tuple[dict[str, str], dict[str, Any]]] = {
    "another caller": ({"authorization": "Bearer other"}, {}),
    "another kind of key": ({"x-api-key": "Bearer mine"}, {}),
    "another question": ({}, {"seed": 2}),
    "another deadline": ({"x-request-timeout": "59"}, {}),
    "asked for alone": ({"x-faultmaven-single-flight": "off"}, {}),
    "a stream": ({}, {"stream": True}),
}


@pytest.mark.parametrize("difference", DIFFERENT)
async def test_nothing_else_is_shared(tmp_path: Path, difference: str) -> None:
    """Whatever shapes an answer, or makes it another's, has it asked for once more."""
    headers, fields = DIFFERENT[difference]
    mine = {} if "x-api-key" in headers else {"authorization": "Bearer mine"}
    held = Held()
    async with client_of(held.container(tmp_path)) as client:
        first = client.post(CHAT, json=ASKED, headers={"authorization": "Bearer mine"})
        second = client.post(CHAT, json={**ASKED, **fields}, headers={**mine, **headers})
        asking = [asyncio.create_task(first), asyncio.create_task(second)]
        await held.until_asked(2)
        held.let_go.set()
        assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    """With ``SINGLE_FLIGHT=false`` every request is asked."""
    held = Held()
    async with client_of(held.container(tmp_path, SINGLE_FLIGHT="false")) as client:
        asking = [asyncio.create_task(client.post(CHAT, json=ASKED)) for _ in range(2)]
        await held.until_asked(2)
        held.let_go.set()
        await asyncio.gather(*asking)


async def test_who_hangs_up_takes_nobody_along(tmp_path: Path) -> None:
    """The first caller's connection closes, the second is answered; the last one ends it all."""
    held = Held()
    async with live_client(held.container(tmp_path)) as client:
        first, second = [asyncio.create_task(client.post(CHAT, json=ASKED)) for _ in range(2)]
        await in_flight(client, 2)
        first.cancel()
        await until(first.done)
        await in_flight(client, 1)
        assert not held.given_up.is_set()
        held.let_go.set()
        assert (await second).status_code == 200
        held.let_go.clear()
        last = asyncio.create_task(client.post(CHAT, json=ASKED))
        await held.until_asked(2)
        last.cancel()
        async with asyncio.timeout(20):
            await held.given_up.wait()
    assert held.asked == 2
