"""Conversations: follow-ups see what was said, and a bad store costs nobody an answer."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence

import pytest

from answering import Answering, RedactingChain
from faultmaven.errors import ConfigurationError, SessionNotFoundError
from faultmaven.models.api import TroubleshootRequest
from faultmaven.models.prompt import Message, Target
from faultmaven.models.session import Session, Turn
from faultmaven.services.agent import AgentService
from faultmaven.services.memory_sessions import MemorySessionStore


def _request(query: str, session_id: str = "s", **fields: object) -> TroubleshootRequest:
    return TroubleshootRequest.model_validate({"session_id": session_id, "query": query, **fields})


def _messages(provider: Answering, call: int) -> tuple[Message, ...]:
    render = provider.options[call]["render"]
    assert render is not None
    return render(Target("openai", "gpt-4o", 128_000)).messages


async def test_follow_up_sees_earlier_turns() -> None:
    """The second question comes with the first and its answer, other sessions stay apart."""
    provider = RedactingChain("The disk is full.", "Because of the log.")
    service = AgentService(provider)

    await service.troubleshoot(_request("What is wrong?"))
    await service.troubleshoot(_request("Why?"))
    await service.troubleshoot(_request("Hello", "other"))

    assert [message.text for message in _messages(provider, 1)[1:-1]] == [
        "What is wrong?",
        "The disk is full.",
    ]
    assert len(_messages(provider, 2)) == 2


async def test_written_answer_is_kept_not_its_json() -> None:
    """What a person read is what the model is told it said."""
    provider = RedactingChain(json.dumps({"summary": "Full.", "root_cause": "Logs."}))
    service = AgentService(provider)

    await service.troubleshoot(_request("a"))
    await service.troubleshoot(_request("b"))

    assert _messages(provider, 1)[2].text == "Full.\n\n## Root cause\n\nLogs."


async def test_attachments_are_kept_in_extracts_and_count_as_evidence() -> None:
    """A follow-up without the log still quotes it, from the session."""
    quoting = json.dumps({"summary": "s", "evidence": ["Exit Code: 137"]})
    provider = RedactingChain(quoting)
    service = AgentService(provider)
    log = "quiet line\n" * 2000 + "Exit Code: 137\n" + "quiet line\n" * 2000

    first = await service.troubleshoot(
        _request("a", attachments=[{"name": "pod.txt", "content": log}])
    )
    second = await service.troubleshoot(_request("What does that code mean?"))

    kept = _messages(provider, 1)[1].text
    assert "[attachment:pod.txt]" in kept
    assert len(kept) < 4_100
    assert (first.evidence[0].source, first.evidence[0].line) == ("attachment:pod.txt", 2001)
    assert (second.evidence[0].source, second.evidence[0].line) == ("session", None)


async def test_secrets_are_masked_before_they_are_kept() -> None:
    """Neither question nor answer stands in the store with a secret."""
    store = MemorySessionStore()
    service = AgentService(Answering("Use password=hunter22."), sessions=store)

    await service.troubleshoot(
        _request(
            "key sk-abcdefgh12345678",
            attachments=[{"name": "env", "content": "DB_PASSWORD=hunter22"}],
        )
    )

    session = await store.get("s")
    assert session is not None
    assert "hunter22" not in str(session)
    assert "sk-abcdefgh12345678" not in str(session)
    assert [turn.role for turn in session.turns] == ["user", "assistant"]


async def test_questions_of_one_session_at_once_do_not_mix() -> None:
    """Fifty at a time leave fifty whole exchanges."""
    store = MemorySessionStore(max_turns=200)
    service = AgentService(Answering("answer"), sessions=store)

    await asyncio.gather(*(service.troubleshoot(_request(f"question {i}")) for i in range(50)))

    session = await store.get("s")
    assert session is not None
    assert [turn.role for turn in session.turns] == ["user", "assistant"] * 50
    assert {turn.text for turn in session.turns} == {
        "answer",
        *(f"question {i}" for i in range(50)),
    }


async def test_unknown_session_is_an_error_only_where_that_is_wanted() -> None:
    """By default a session begins with its first question; strictly it must exist (S82)."""
    store = MemorySessionStore()
    strict = AgentService(Answering(), sessions=store, session_strict=True)

    with pytest.raises(SessionNotFoundError):
        await strict.troubleshoot(_request("a"))
    await AgentService(Answering(), sessions=store).troubleshoot(_request("a"))
    assert (await strict.troubleshoot(_request("b"))).response


class Failing:
    """A store that is out of order, in one of three ways."""

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure

    async def _fail(self) -> None:
        if self._failure is None:
            await asyncio.Event().wait()
            return
        raise self._failure

    async def get(self, session_id: str) -> Session | None:
        """Fail."""
        await self._fail()
        raise AssertionError(session_id)

    async def append(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Fail."""
        await self._fail()
        raise AssertionError(session_id, turns)

    async def is_healthy(self) -> bool:
        """Tell that it is not."""
        return False

    async def aclose(self) -> None:
        """Hold nothing."""


@pytest.mark.parametrize(
    "failure", [ConfigurationError("disk full"), ConnectionResetError("gone"), None]
)
@pytest.mark.parametrize("strict", [False, True])
async def test_answer_is_not_lost_when_the_store_fails(
    failure: Exception | None,
    strict: bool,  # noqa: FBT001 - a parameter of the test
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error, a cut connection or a store that hangs leave a warning, not a failed question."""
    service = AgentService(
        Answering("It is full."),
        sessions=Failing(failure),
        session_strict=strict,
        request_timeout=0.4,
    )

    with caplog.at_level(logging.WARNING):
        response = await service.troubleshoot(_request("a"))

    assert response.response == "It is full."
    assert any("could not be saved" in warning for warning in response.warnings)
    assert len(caplog.records) == 2
