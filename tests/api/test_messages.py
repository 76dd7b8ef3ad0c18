"""POST /v1/messages over HTTP: answers whole and streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.playing import ANSWER, ASKED, MESSAGES, Playing, assembled, events
from api.service import client_of, container_of
from doubles import Fail, Say, row, scripted
from faultmaven.api.anthropic.live import tell
from faultmaven.api.anthropic.request import MessagesRequest, asked
from faultmaven.api.anthropic.stream import AnswerEvents
from faultmaven.api.event_stream import EventStream
from faultmaven.errors import (
    AllProvidersFailedError,
    AnswerCutError,
    ErrorClass,
    ProviderOverloadedError,
)
from faultmaven.infrastructure.observability.request import begin_request
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Message, Thought, ToolCall
from faultmaven.models.stream import Delta

LOOK = ToolCall("call_1", "df", '{"path": "/"}')


@asynccontextmanager
async def client_with(folder: Path, llm: Playing) -> AsyncIterator[httpx.AsyncClient]:
    """Start a service in front of ``llm`` and give a client."""
    async with client_of(container_of(folder, llm=llm)) as client:
        yield client


async def ask(folder: Path, llm: Playing, **fields: Any) -> httpx.Response:
    """Ask the smallest question, with further fields."""
    async with client_with(folder, llm) as client:
        return await client.post(MESSAGES, json={**ASKED, **fields})


async def test_an_answer_is_a_message(tmp_path: Path) -> None:
    """Field for field as Anthropic has it."""
    response = await ask(tmp_path, Playing())
    body = response.json()
    assert body.pop("id").startswith("msg_")
    assert body == {
        "type": "message",
        "role": "assistant",
        "model": "model-1",
        "content": [{"type": "text", "text": "The disk is full."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 2,
            "output_tokens": 5,
        },
    }


async def test_headers_tell_who_answered(tmp_path: Path) -> None:
    """And what was tried, how sure it is, what was ignored; the id stands twice."""
    tried = Attempt("two", "model-2", error_class=ErrorClass.OVERLOADED)
    answer = replace(ANSWER, attempts=(Attempt("one", "model-1"),), ignored=("top_k",))
    headers = (await ask(tmp_path, Playing(answer=answer, attempts=[tried]))).headers
    assert headers["X-FaultMaven-Provider"] == "one"
    assert headers["X-FaultMaven-Model"] == "model-1"
    assert headers["X-FaultMaven-Attempts"] == "2"
    assert headers["X-FaultMaven-Confidence"] == "0.87"
    assert headers["X-FaultMaven-Ignored-Fields"] == "top_k"
    assert headers["request-id"] == headers["X-Request-ID"] != ""


async def test_a_key_and_a_version_change_nothing(tmp_path: Path) -> None:
    """Every client sends them; the gateway has no callers' keys."""
    async with client_with(tmp_path, Playing()) as client:
        response = await client.post(
            MESSAGES,
            params={"beta": "true"},
            json=ASKED,
            headers={
                "x-api-key": "sk-anything",
                "authorization": "Bearer other",
                "anthropic-version": "2023-06-01",
                "anthropic-beta": "context-1m-2025-08-07",
            },
        )
    assert response.status_code == 200


async def test_the_conversation_reaches_the_chain(tmp_path: Path) -> None:
    """With its limits, and nothing that was not asked."""
    llm = Playing()
    await ask(tmp_path, llm, system="Be brief.", deadline_ms=5_000)
    (options,) = llm.options
    said = (Message("system", "Be brief."), Message("user", "What is wrong?"))
    assert (options["messages"], options["max_tokens"]) == (said, 64)
    assert 0 < (options["timeout"] or 0) <= 5
    assert "temperature" not in options


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (replace(ANSWER, finish_reason="length"), "max_tokens"),
        (replace(ANSWER, finish_reason="content_filter"), "refusal"),
        (replace(ANSWER, finish_reason="tool_calls", tool_calls=(LOOK,)), "tool_use"),
        (replace(ANSWER, finish_reason="stop", tool_calls=(LOOK,)), "tool_use"),
        (replace(ANSWER, finish_reason="length", tool_calls=(LOOK,)), "max_tokens"),
        (replace(ANSWER, finish_reason="error"), "max_tokens"),
        (replace(ANSWER, finish_reason="end_by_vendor"), "max_tokens"),
        (replace(ANSWER, finish_reason="end_by_vendor", tool_calls=(LOOK,)), "max_tokens"),
    ],
)
async def test_why_it_stopped(tmp_path: Path, answer: LLMResponse, reason: str) -> None:
    """In Anthropic's words; who asks for a tool stopped for that, whatever the vendor says."""
    assert (await ask(tmp_path, Playing(answer=answer))).json()["stop_reason"] == reason


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ('{"path": "/"}', {"path": "/"}),
        ("", {}),
        ('{"path": ', {"INVALID_JSON": '{"path": '}),
        ("[1]", {"INVALID_JSON": "[1]"}),
    ],
)
async def test_a_call_has_an_object(tmp_path: Path, arguments: str, given: Any) -> None:
    """What is none is told as it was written, and not lost."""
    answer = replace(ANSWER, content="", tool_calls=(ToolCall("call_1", "df", arguments),))
    (block,) = (await ask(tmp_path, Playing(answer=answer))).json()["content"]
    assert block == {"type": "tool_use", "id": "call_1", "name": "df", "input": given}


async def test_thoughts_come_first(tmp_path: Path) -> None:
    """Signed ones to everybody, another vendor's to who asks, with a mark that is not a proof."""
    signed = (Thought("Hm.", "sig"), Thought(hidden="xyz"), Thought("no proof"))
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "The disk is full."},
    ]
    answer = replace(ANSWER, reasoning="Hm.", thoughts=signed)
    assert (await ask(tmp_path, Playing(answer=answer))).json()["content"] == blocks
    unsigned = Playing(answer=replace(ANSWER, reasoning="Hm."))
    assert (await ask(tmp_path, unsigned)).json()["content"] == blocks[2:]
    shown = (await ask(tmp_path, unsigned, thinking={"type": "adaptive"})).json()["content"]
    mark = {"type": "thinking", "thinking": "Hm.", "signature": "faultmaven:one"}
    assert shown == [mark, *blocks[2:]]


async def test_tokens_of_thoughts_are_told(tmp_path: Path) -> None:
    """Where the vendor tells them; they are part of what was written."""
    answer = replace(ANSWER, usage=Usage(prompt=12, completion=50, reasoning=40))
    usage = (await ask(tmp_path, Playing(answer=answer))).json()["usage"]
    assert usage["output_tokens"] == 50
    assert usage["output_tokens_details"] == {"thinking_tokens": 40}


async def test_half_a_character_does_no_harm(tmp_path: Path) -> None:
    """A model may break off within one; no text can hold that."""
    response = await ask(tmp_path, Playing(answer=replace(ANSWER, content="ok \ud83d")))
    assert response.json()["content"] == [{"type": "text", "text": "ok ?"}]


async def test_an_answer_is_streamed(tmp_path: Path) -> None:
    """Head and events as Anthropic's; the body is the answer."""
    tried = Attempt("two", "model-2", error_class=ErrorClass.OVERLOADED)
    llm = Playing(Delta(text="The disk"), Delta(text=" is full."), attempts=[tried])
    response = await ask(tmp_path, llm, stream=True)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["X-FaultMaven-Provider"] == "one"
    assert response.headers["X-FaultMaven-Attempts"] == "2"
    assert response.headers["request-id"] == response.headers["X-Request-ID"]
    read = events(response.content)
    assert assembled(read) == [{"type": "text", "text": "The disk is full."}]
    assert read[-1] == {"type": "message_stop"}


async def test_thoughts_are_streamed_to_who_asks(tmp_path: Path) -> None:
    """And to nobody else."""
    llm = Playing(Delta(reasoning="Hm."), Delta(text="Full."))
    shown = await ask(tmp_path, llm, stream=True, thinking={"type": "adaptive"})
    silent = await ask(tmp_path, llm, stream=True)
    assert [block["type"] for block in assembled(events(shown.content))] == ["thinking", "text"]
    assert [block["type"] for block in assembled(events(silent.content))] == ["text"]


async def test_who_cannot_stream_is_told_at_the_end(tmp_path: Path) -> None:
    """With the same head, and how sure the answer is."""
    response = await ask(tmp_path, Playing(), stream=True)
    assert response.headers["X-FaultMaven-Confidence"] == "0.87"
    blocks = assembled(events(response.content))
    assert blocks == [{"type": "text", "text": "The disk is full."}]


async def test_a_failure_before_the_first_piece_is_a_status(tmp_path: Path) -> None:
    """Nothing was sent, so the client may ask again."""
    failure = AllProvidersFailedError(
        "All providers failed: one: overloaded",
        attempts=[Attempt("one", "model-1", error_class=ErrorClass.OVERLOADED)],
    )
    response = await ask(tmp_path, Playing(failure=failure), stream=True)
    assert response.status_code == 529
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]["type"] == "overloaded_error"


async def test_a_failure_in_the_middle_is_an_event(tmp_path: Path) -> None:
    """Never a success mark: neither a reason to stop nor the end of a message."""
    failure = AnswerCutError("The answer broke off: one: connection", hint="Ask again.")
    response = await ask(tmp_path, Playing(Delta(text="The"), failure=failure), stream=True)
    *told, last = events(response.content)
    assert {"message_delta", "message_stop"}.isdisjoint(event["type"] for event in told)
    assert last["type"] == "error"
    assert last["error"]["type"] == "api_error"
    assert last["error"]["message"] == "The answer broke off: one: connection. Ask again."
    assert last["request_id"] == response.headers["request-id"]


async def test_a_failure_after_a_sign_of_life_is_an_event(tmp_path: Path) -> None:
    """The head left to keep the connection alive: then only an event can tell."""
    failure = AllProvidersFailedError("All providers failed: one: timeout")
    completions = container_of(tmp_path, llm=Playing(failure=failure)).completions
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    stream = EventStream(send)
    await stream.open()
    await tell(
        stream,
        asked(MessagesRequest.model_validate(ASKED)),
        completions=completions,
        answer=AnswerEvents("msg_1", shows_thoughts=False),
        came=begin_request("req-1"),
    )
    (event,) = events(sent[-1]["body"])
    assert (event["type"], event["request_id"]) == ("error", "req-1")
    assert event["error"]["message"] == "All providers failed: one: timeout"


async def test_the_chain_itself_answers(tmp_path: Path) -> None:
    """Past a provider that fails, whole and streamed, with no fake in between."""
    rows = {
        "one": row(scripted(Fail(ProviderOverloadedError, message="HTTP 503"))),
        "two": row(scripted(Say("The disk is full."))),
    }
    variables = {"FALLBACK_CHAIN": "two"}
    container = container_of(tmp_path, rows=rows, variables=variables)
    async with client_of(container) as client:
        whole = await client.post(MESSAGES, json=ASKED)
        live = await client.post(MESSAGES, json={**ASKED, "stream": True})
    said = [{"type": "text", "text": "The disk is full."}]
    assert (whole.json()["content"], assembled(events(live.content))) == (said, said)
    assert whole.headers["X-FaultMaven-Provider"] == "two"
    assert int(whole.headers["X-FaultMaven-Attempts"]) > 1


async def test_tokens_are_estimated(tmp_path: Path) -> None:
    """Without asking anybody, and not passed off as counted."""
    llm = Playing()
    async with client_with(tmp_path, llm) as client:
        body = {name: ASKED[name] for name in ("model", "messages")}
        response = await client.post(f"{MESSAGES}/count_tokens", json=body)
    assert response.status_code == 200
    assert response.json()["input_tokens"] > 4
    assert response.json()["faultmaven"] == {"estimated": True}
    assert llm.options == []
