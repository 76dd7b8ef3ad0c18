"""POST /v1/chat/completions with stream, over a socket: chunk by chunk as OpenAI sends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.chatting import CHAT, asked, chunks, deltas, error_of, events
from api.live import live_client
from api.playing import ANSWER, Playing
from api.service import container_of
from faultmaven.api.event_stream import EventStream
from faultmaven.api.openai.answer import Envelope
from faultmaven.api.openai.chunks import Chunks
from faultmaven.api.openai.stream import ChatStream, stream_answer
from faultmaven.errors import AllProvidersFailedError, AnswerCutError, ErrorClass
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.interfaces import ILLMProvider, LLMResponse
from faultmaven.models.prompt import Thought, ToolCall
from faultmaven.models.stream import Beginning, Delta, IAnswerListener, ToolCallPiece

PIECES = (Delta("The disk "), Delta("is full."))
DOWN = Attempt("zero", "model-0", error_class=ErrorClass.OVERLOADED)
CUT = AnswerCutError("The answer broke off: one: connection (reset)", attempts=[DOWN])


@asynccontextmanager
async def client_for(folder: Path, llm: ILLMProvider) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a chain that plays, and give a client that reaches it over a socket."""
    async with live_client(container_of(folder, llm=llm)) as client:
        yield client


async def stream_of(folder: Path, llm: ILLMProvider, **fields: Any) -> httpx.Response:
    """Ask for a stream, and read it whole."""
    async with client_for(folder, llm) as client:
        return await client.post(CHAT, json=asked(stream=True, **fields))


async def test_a_stream_has_openais_chunks(tmp_path: Path) -> None:
    """Who speaks, the pieces, why it stopped, and the mark of success; nothing else."""
    response = await stream_of(tmp_path, Playing(*PIECES))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    read = chunks(response.content)
    assert [chunk["choices"][0] for chunk in read] == [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        for delta, reason in (
            ({"role": "assistant", "content": "", "refusal": None}, None),
            ({"content": "The disk "}, None),
            ({"content": "is full."}, None),
            ({}, "stop"),
        )
    ]
    assert all("usage" not in chunk for chunk in read)
    assert read[0]["model"] == "model-1"
    assert read[0]["id"].startswith("chatcmpl-")


async def test_usage_comes_where_it_is_asked_for(tmp_path: Path) -> None:
    """In a chunk of its own without choices, and as null in all before it."""
    answer = replace(ANSWER, usage=Usage(12, 5, cached=2))
    options = {"include_usage": True}
    response = await stream_of(tmp_path, Playing(*PIECES, answer=answer), stream_options=options)
    *before, last = chunks(response.content)
    assert all(chunk["usage"] is None for chunk in before)
    assert before[-1]["choices"][0]["finish_reason"] == "stop"
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 17
    assert last["usage"]["prompt_tokens_details"]["cached_tokens"] == 2


async def test_calls_of_tools_come_in_pieces(tmp_path: Path) -> None:
    """The first piece of a call has its id, type and name; the rest are arguments."""
    pieces = (
        Delta(tool_calls=(ToolCallPiece(0, "c1", "df"),)),
        Delta(tool_calls=(ToolCallPiece(0, arguments='{"path"'),)),
        Delta(tool_calls=(ToolCallPiece(0, arguments=':"/"}', signature="c2ln"),)),
        Delta(tool_calls=(ToolCallPiece(1, "c2", "du", "{}"),)),
    )
    calls = (ToolCall("c1", "df", '{"path":"/"}'), ToolCall("c2", "du", "{}"))
    answer = replace(ANSWER, content="", tool_calls=calls)
    read = chunks((await stream_of(tmp_path, Playing(*pieces, answer=answer))).content)
    first, *told, last = deltas(read)
    assert first == {"role": "assistant", "content": None, "refusal": None}
    assert [delta["tool_calls"] for delta in told] == [
        [
            {
                "index": 0,
                "id": "c1",
                "type": "function",
                "function": {"name": "df", "arguments": ""},
            }
        ],
        [{"index": 0, "function": {"arguments": '{"path"'}}],
        [
            {
                "index": 0,
                "function": {"arguments": ':"/"}'},
                "extra_content": {"google": {"thought_signature": "c2ln"}},
            }
        ],
        [
            {
                "index": 1,
                "id": "c2",
                "type": "function",
                "function": {"name": "du", "arguments": "{}"},
            }
        ],
    ]
    assert last == {}
    assert read[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_the_old_words_stream_in_the_old_words(tmp_path: Path) -> None:
    """Who sends functions hears a function_call, one only."""
    pieces = (
        Delta(tool_calls=(ToolCallPiece(0, "c1", "df", "{"),)),
        Delta(tool_calls=(ToolCallPiece(0, arguments="}"), ToolCallPiece(1, "c2", "du", "{}"))),
    )
    answer = replace(ANSWER, content="", tool_calls=(ToolCall("c1", "df", "{}"),))
    llm = Playing(*pieces, answer=answer)
    read = chunks((await stream_of(tmp_path, llm, functions=[{"name": "df"}])).content)
    assert deltas(read)[1:-1] == [
        {"function_call": {"name": "df", "arguments": "{"}},
        {"function_call": {"arguments": "}"}},
    ]
    assert read[-1]["choices"][0]["finish_reason"] == "function_call"


async def test_thoughts_and_probabilities_stream_too(tmp_path: Path) -> None:
    """Each in its own field, apart from the answer."""
    token = {"token": "The", "logprob": -0.1, "bytes": None, "top_logprobs": []}
    pieces = (
        Delta(reasoning="Hm."),
        Delta(thought=Thought("Hm.", "c2ln")),
        Delta("The", logprobs=(token,)),
    )
    read = chunks((await stream_of(tmp_path, Playing(*pieces))).content)
    assert deltas(read)[1:-1] == [
        {"reasoning_content": "Hm."},
        {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]},
        {"content": "The"},
    ]
    assert read[3]["choices"][0]["logprobs"] == {"content": [token], "refusal": None}


async def test_an_answer_nobody_let_us_hear_is_streamed_in_one_piece(tmp_path: Path) -> None:
    """A provider that knows no listener still serves clients that stream."""
    answer = replace(ANSWER, reasoning="Hm.", tool_calls=(ToolCall("c1", "df", "{}"),))
    read = chunks((await stream_of(tmp_path, Playing(answer=answer))).content)
    _first, told, _last = deltas(read)
    assert told["content"] == "The disk is full."
    assert told["reasoning_content"] == "Hm."
    assert told["tool_calls"][0]["function"] == {"name": "df", "arguments": "{}"}


async def test_headers_come_with_the_beginning(tmp_path: Path) -> None:
    """Who answers, after how many attempts, and what was ignored; the id and our overhead."""
    llm = Playing(*PIECES, answer=replace(ANSWER, ignored=("seed",)), attempts=(DOWN,))
    headers = (await stream_of(tmp_path, llm)).headers
    assert headers["x-faultmaven-provider"] == "one"
    assert headers["x-faultmaven-model"] == "model-1"
    assert headers["x-faultmaven-attempts"] == "2"
    assert headers["x-faultmaven-ignored-fields"] == "seed"
    assert headers["x-request-id"].startswith("req-")
    assert float(headers["x-faultmaven-overhead-ms"]) >= 0


async def test_the_time_to_the_first_token_is_none_of_our_overhead(tmp_path: Path) -> None:
    """However long a provider thought before it spoke, that is not what the gateway cost."""
    llm = Playing(*PIECES, answer=ANSWER, first_token_ms=3_600_000)
    headers = (await stream_of(tmp_path, llm)).headers
    assert float(headers["x-faultmaven-overhead-ms"]) == 0


async def test_a_failure_before_the_answer_is_a_status(tmp_path: Path) -> None:
    """Nothing has been sent by then: clients see what they would without a stream."""
    failure = AllProvidersFailedError("All providers failed", attempts=[DOWN], retry_after=7)
    response = await stream_of(tmp_path, Playing(failure=failure))
    error = error_of(response, 503)
    assert error["code"] == "all_providers_failed"
    assert response.headers["retry-after"] == "7"


async def test_a_failure_within_the_answer_is_an_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends the stream, without a finish reason and without the mark of success."""
    with caplog.at_level("INFO", logger="faultmaven"):
        response = await stream_of(tmp_path, Playing(*PIECES, failure=CUT))
    assert response.status_code == 200
    *pieces, last = events(response.content)
    assert [delta.get("content") for delta in deltas(pieces)] == ["", "The disk ", "is full."]
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in pieces)
    assert set(last) == {"error"}
    assert last["error"]["code"] == "answer_cut"
    assert last["error"]["type"] == "server_error"
    assert last["error"]["faultmaven"]["attempts"][0]["outcome"] == "overloaded"
    lines = [record.getMessage() for record in caplog.records]
    assert any("answer_cut" in line for line in lines)


async def test_a_piece_before_its_beginning_is_a_fault_of_ours() -> None:
    """The contract has the beginning first: nobody could be told who answers."""

    async def send(message: Any) -> None:
        raise AssertionError(message)

    chat = ChatStream(EventStream(send), Envelope("chatcmpl-1", 1), with_usage=False)
    with pytest.raises(LookupError):
        await chat.on_delta(PIECES[0])


async def test_the_agent_streams_as_a_model(tmp_path: Path) -> None:
    """What a person reads of its answer comes in pieces, from whoever of the chain answers."""
    text = "## Root cause\nThe disk is full.\n\n## Next steps\n- Free some space.\n"
    pieces = tuple(Delta(line) for line in text.splitlines(keepends=True))
    llm = Playing(*pieces, answer=replace(ANSWER, content=text))
    response = await stream_of(tmp_path, llm, model="faultmaven/troubleshoot", seed=7)
    read = chunks(response.content)
    said = "".join(delta.get("content", "") for delta in deltas(read))
    assert "The disk is full." in said
    assert "Free some space." in said
    assert len(read) > 3
    assert read[0]["model"] == "model-1"
    assert response.headers["x-faultmaven-ignored-fields"] == "seed"


async def test_pieces_arrive_while_the_rest_is_being_written(tmp_path: Path) -> None:
    """The first piece is there before the second exists."""
    go_on = asyncio.Event()

    class Waiting(Playing):
        """Waits between its two pieces."""

        async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
            """Play, with a pause."""
            assert prompt
            listener: IAnswerListener = kwargs["listener"]
            await listener.on_begin(Beginning("one", "model-1"))
            await listener.on_delta(PIECES[0])
            await go_on.wait()
            await listener.on_delta(PIECES[1])
            return ANSWER

    body = asked(stream=True)
    async with (
        client_for(tmp_path, Waiting()) as client,
        client.stream("POST", CHAT, json=body) as response,
    ):
        pieces = response.aiter_lines()
        seen = [line async for line in until(pieces, "The disk ")]
        assert not any("is full." in line for line in seen)
        go_on.set()
        rest = [line async for line in pieces]
    assert rest[-2] == "data: [DONE]"


async def until(lines: AsyncIterator[str], word: str) -> AsyncIterator[str]:
    """Read lines up to the one with a word."""
    async for line in lines:
        yield line
        if word in line:
            return


async def test_a_caller_who_leaves_a_stream_ends_the_work(tmp_path: Path) -> None:
    """After the first piece as well as before it."""
    ended = asyncio.Event()

    class Endless(Playing):
        """Writes one piece and then nothing, and notes how it ends."""

        async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
            """Play the beginning."""
            assert prompt
            listener: IAnswerListener = kwargs["listener"]
            await listener.on_begin(Beginning("one", "model-1"))
            await listener.on_delta(PIECES[0])
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return ANSWER

    async with client_for(tmp_path, Endless()) as client:
        async with client.stream("POST", CHAT, json=asked(stream=True)) as response:
            async for line in response.aiter_lines():
                if "The disk " in line:
                    break
        async with asyncio.timeout(5):
            await ended.wait()


async def test_an_error_after_a_long_wait_is_an_event() -> None:
    """Once the head has left to keep the connection alive, a status can no longer be sent."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    stream = EventStream(send)
    await stream.open()

    async def ask(_listener: IAnswerListener) -> LLMResponse:
        raise AllProvidersFailedError("All providers failed: no answer within 60.0 s")

    await stream_answer(stream, ask, Envelope("chatcmpl-1", 1), with_usage=False)
    (event,) = events(b"".join(message.get("body", b"") for message in sent))
    assert event["error"]["message"].startswith("All providers failed")


async def test_before_the_head_has_left_an_error_is_raised() -> None:
    """So that it becomes a status."""

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async def ask(_listener: IAnswerListener) -> LLMResponse:
        raise AllProvidersFailedError("no")

    with pytest.raises(AllProvidersFailedError):
        await stream_answer(EventStream(send), ask, Envelope("chatcmpl-1", 1), with_usage=False)


@given(text=st.text())
def test_any_text_survives_as_one_line(text: str) -> None:
    """Whatever a model writes is one line of valid UTF-8 to every reader, and reads as written."""
    written = Chunks(Envelope("chatcmpl-1", 1), "model-1", with_usage=True).text(text)
    assert len(written.decode().splitlines()) == 2
    read = json.loads(written.removeprefix(b"data: "))
    assert read["choices"][0]["delta"]["content"] == text


@given(text=st.text(min_size=1))
def test_the_fast_way_and_the_general_one_agree(text: str) -> None:
    """A piece of text is the same chunk whichever way it is written."""
    chunks_ = Chunks(Envelope("chatcmpl-1", 1), "model-1", with_usage=False)
    fast, general = chunks_.text(text), chunks_.piece(Delta(text))
    assert json.loads(fast.removeprefix(b"data: ")) == json.loads(general.removeprefix(b"data: "))


def test_half_a_character_does_not_end_a_stream() -> None:
    """A lone surrogate has no bytes; what can be told is told."""
    written = Chunks(Envelope("chatcmpl-1", 1), "model-1", with_usage=False).text("a\ud83d")
    assert json.loads(written.removeprefix(b"data: "))["choices"][0]["delta"]["content"] == "a?"
