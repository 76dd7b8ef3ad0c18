"""Hearing an answer through the agent."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from answering import Answering
from faultmaven.errors import AnswerCutError, ErrorClass, InvalidInputError
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.session import Turn
from faultmaven.models.stream import Beginning, Delta
from faultmaven.services.agent import AgentService
from faultmaven.services.memory_sessions import MemorySessionStore
from faultmaven.services.sanitizer import Sanitizer

DOWN = Attempt("zero", "model-0", error_class=ErrorClass.OVERLOADED)
ANSWER = json.dumps({"summary": "It is full.", "root_cause": "Logs.", "status": "completed"})
READABLE = "It is full.\n\n## Root cause\n\nLogs."


@dataclass
class Heard:
    """A listener that remembers."""

    attempts: list[Attempt] = field(default_factory=list)
    beginnings: list[Beginning] = field(default_factory=list)
    deltas: list[Delta] = field(default_factory=list)

    async def on_attempt(self, attempt: Attempt) -> None:
        """Remember it."""
        self.attempts.append(attempt)

    async def on_begin(self, beginning: Beginning) -> None:
        """Remember it."""
        self.beginnings.append(beginning)

    async def on_delta(self, delta: Delta) -> None:
        """Remember it."""
        assert self.beginnings, "nothing is said before the answer begins"
        self.deltas.append(delta)

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(delta.text for delta in self.deltas)


class Speaking(Answering):
    """A provider that lets its answer be heard, three characters at a time."""

    def __init__(self, text: str = ANSWER, *, failure: Exception | None = None) -> None:
        super().__init__(text)
        self._text = text
        self._failure = failure

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Say it."""
        answer = await super().generate(prompt, **kwargs)
        listener = kwargs.get("listener")
        if listener is not None:
            await listener.on_attempt(DOWN)
            await listener.on_begin(Beginning("answering", "model-1", (DOWN,)))
            await listener.on_delta(Delta(reasoning="Hm."))
            for place in range(0, len(self._text), 3):
                await listener.on_delta(Delta(text=self._text[place : place + 3]))
        if self._failure is not None:
            raise self._failure
        return answer


def question(**fields: Any) -> TroubleshootRequest:
    """Ask something."""
    return TroubleshootRequest(session_id="s", query="Why is it slow?", **fields)


async def test_an_answer_is_heard_as_a_person_reads_it() -> None:
    """No JSON and no thoughts; attempts and beginning pass; the pieces are the response."""
    heard = Heard()
    answer = await AgentService(Speaking()).troubleshoot(question(), listener=heard)
    assert heard.text == answer.response == READABLE
    assert len(heard.deltas) > 3
    assert all(delta == Delta(text=delta.text) for delta in heard.deltas)
    assert heard.attempts == [DOWN]
    assert heard.beginnings == [Beginning("answering", "model-1", (DOWN,))]


async def test_a_provider_that_cannot_stream_is_heard_at_the_end() -> None:
    """Any provider will do: its answer comes in one piece, said to be its own."""
    heard = Heard()
    answer = await AgentService(Answering(ANSWER)).troubleshoot(question(), listener=heard)
    assert [delta.text for delta in heard.deltas] == [answer.response]
    assert [(b.provider, b.model) for b in heard.beginnings] == [("answering", "model-1")]


async def test_without_a_listener_nothing_changes() -> None:
    """The provider is not told of any."""
    provider = Speaking()
    await AgentService(provider).troubleshoot(question())
    assert "listener" not in provider.options[0]


async def test_half_an_answer_is_not_kept() -> None:
    """What broke off is an error, and no later question hears of it."""
    sessions = MemorySessionStore()
    agent = AgentService(Speaking(failure=AnswerCutError("cut")), sessions=sessions)
    heard = Heard()
    with pytest.raises(AnswerCutError):
        await agent.troubleshoot(question(), listener=heard)
    assert heard.text.startswith("It is full.")
    assert await sessions.get("s") is None


async def test_it_is_said_when_somebody_is_asked() -> None:
    """Once the provider works on it, before it answers."""
    asked = asyncio.Event()
    answering = asyncio.create_task(
        AgentService(Answering(hangs=True)).troubleshoot(question(), on_asked=asked.set)
    )
    async with asyncio.timeout(5):
        await asked.wait()
    assert not answering.done()
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)


class Refusing(Answering):
    """A chain that finds the request itself wrong before it asks anybody."""

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Refuse."""
        raise InvalidInputError(f"{prompt}: nobody for {sorted(kwargs)}", field="provider")


async def test_a_refused_question_was_never_asked() -> None:
    """So its caller can still be told by a status."""
    asked: list[bool] = []
    with pytest.raises(InvalidInputError):
        await AgentService(Refusing()).troubleshoot(question(), on_asked=lambda: asked.append(True))
    await asyncio.sleep(0)
    assert asked == []


class Watched(Sanitizer):
    """A sanitizer that notes in which thread it works on long texts."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def mask(self, text: str) -> str:
        """Note the thread."""
        self._note(text)
        return super().mask(text)

    def clean(self, text: str) -> str:
        """Note the thread."""
        self._note(text)
        return super().clean(text)

    def _note(self, text: str) -> None:
        if len(text) > 100_000:
            self.threads.add(threading.get_ident())


async def test_long_texts_hold_nobody_up() -> None:
    """Cleaning, masking and looking up megabytes happen beside the event loop."""
    sanitizer, sessions = Watched(), MemorySessionStore()
    agent = AgentService(Speaking(), sanitizer=sanitizer, sessions=sessions)
    log = "error 12:00 connection refused\n" * 20_000
    attachments = [{"name": "a.log", "content": log}]
    body = {"session_id": "s", "query": "Why?\n" + log, "attachments": attachments}
    heard = Heard()
    answer = await agent.troubleshoot(TroubleshootRequest.model_validate(body), listener=heard)
    assert sanitizer.threads
    assert threading.get_ident() not in sanitizer.threads
    assert heard.text == answer.response
    kept = await sessions.get("s")
    assert kept is not None
    assert isinstance(kept.turns[0], Turn)
