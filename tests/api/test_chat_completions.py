"""POST /v1/chat/completions: whole answers, as an OpenAI client reads them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.chatting import CHAT, asked
from api.live import live_client
from api.playing import ANSWER, Playing
from api.service import Container, client_of, container_of, sample
from doubles import Fail, Say, row, scripted
from faultmaven.errors import ProviderOverloadedError
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.interfaces import GenerateOptions, LLMResponse
from faultmaven.models.prompt import Thought, ToolCall


async def ask(container: Container, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    """Send one request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client_of(container) as client:
        return await client.post(CHAT, json=body, headers=named)


async def answer_to(folder: Path, answer: LLMResponse, **fields: Any) -> dict[str, Any]:
    """Read what a client gets where a model answers this."""
    response = await ask(container_of(folder, llm=Playing(answer=answer)), asked(**fields))
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


async def options_of(folder: Path, **fields: Any) -> GenerateOptions:
    """Ask, and tell what the chain was asked for."""
    llm = Playing()
    response = await ask(container_of(folder, llm=llm), asked(**fields))
    assert response.status_code == 200, response.text
    return llm.options[0]


async def test_an_answer_has_openais_shape(tmp_path: Path) -> None:
    """Field for field what the original sends, but for the id and the time."""
    usage = Usage(prompt=12, completion=5, cached=2, reasoning=3)
    before = int(time.time())
    body = await answer_to(tmp_path, replace(ANSWER, usage=usage))
    assert body.pop("id").startswith("chatcmpl-")
    assert before <= body.pop("created") <= time.time()
    assert body == {
        "object": "chat.completion",
        "model": "model-1",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "The disk is full.",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 5,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 3,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "system_fingerprint": None,
    }


async def test_calls_of_tools_leave_the_content_null(tmp_path: Path) -> None:
    """Ids, names, arguments and a vendor's signature are told; the reason is tool_calls."""
    calls = (ToolCall("c1", "df", '{"path":"/"}', "c2ln"), ToolCall("c2", "du", "{}"))
    body = await answer_to(tmp_path, replace(ANSWER, content="", tool_calls=calls))
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "df", "arguments": '{"path":"/"}'},
            "extra_content": {"google": {"thought_signature": "c2ln"}},
        },
        {"id": "c2", "type": "function", "function": {"name": "du", "arguments": "{}"}},
    ]


async def test_the_old_words_are_answered_in_the_old_words(tmp_path: Path) -> None:
    """Who sends functions gets a function_call."""
    answer = replace(ANSWER, content="", tool_calls=(ToolCall("c1", "df", "{}"),))
    body = await answer_to(tmp_path, answer, functions=[{"name": "df"}])
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "df", "arguments": "{}"}
    assert "tool_calls" not in choice["message"]


async def test_thoughts_are_kept_apart(tmp_path: Path) -> None:
    """Reasoning, signed thoughts and probabilities have fields of their own."""
    thoughts = (Thought("Hm.", "c2ln"), Thought(hidden="eHg="))
    token = {"token": "The", "logprob": -0.1, "bytes": None, "top_logprobs": []}
    answer = replace(ANSWER, reasoning="Hm.", thoughts=thoughts, logprobs=(token,))
    (choice,) = (await answer_to(tmp_path, answer))["choices"]
    assert choice["message"]["reasoning_content"] == "Hm."
    assert choice["message"]["thinking_blocks"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eHg="},
    ]
    assert choice["logprobs"] == {"content": [token], "refusal": None}


@pytest.mark.parametrize(
    ("ours", "calls", "theirs"),
    [
        ("stop", 0, "stop"),
        ("stop", 1, "tool_calls"),
        ("length", 0, "length"),
        ("length", 1, "length"),
        ("tool_calls", 0, "stop"),
        ("content_filter", 0, "content_filter"),
        ("error", 0, "length"),
        ("error", 1, "length"),
        ("a_word_of_tomorrow", 0, "length"),
        ("a_word_of_tomorrow", 1, "length"),
    ],
)
async def test_finish_reasons_are_a_closed_set(
    tmp_path: Path,
    ours: str,
    calls: int,
    theirs: str,
) -> None:
    """Clients know four reasons; whatever a vendor says becomes one, an unknown end no success."""
    made = (ToolCall("c1", "df", "{}"),) * calls
    body = await answer_to(tmp_path, replace(ANSWER, finish_reason=ours, tool_calls=made))
    assert body["choices"][0]["finish_reason"] == theirs


async def test_half_a_surrogate_pair_breaks_nothing(tmp_path: Path) -> None:
    """A model may cut a character in two; the answer is still UTF-8."""
    body = await answer_to(tmp_path, replace(ANSWER, content="voil\u00e0 \ud83d"))
    assert body["choices"][0]["message"]["content"] == "voil\u00e0 ?"


async def test_headers_tell_who_answered(tmp_path: Path) -> None:
    """Provider, model, attempts, confidence, what was ignored, overhead and the request's id."""
    answer = replace(ANSWER, ignored=("seed", "verbosity"), attempts=(Attempt("one", "model-1"),))
    llm = Playing(answer=answer, attempts=(Attempt("zero", "model-0"),))
    response = await ask(container_of(tmp_path, llm=llm), asked(), x_request_id="mine-1")
    told = {
        name.removeprefix("x-faultmaven-"): value
        for name, value in response.headers.items()
        if name.startswith("x-faultmaven-")
    }
    assert float(told.pop("overhead-ms")) >= 0
    assert told == {
        "provider": "one",
        "model": "model-1",
        "attempts": "2",
        "confidence": "0.87",
        "ignored-fields": "seed, verbosity",
    }
    assert response.headers["x-request-id"] == "mine-1"


async def test_no_name_can_break_a_header(tmp_path: Path) -> None:
    """Line breaks and far scripts in a name do not reach the header as they are."""
    answer = replace(ANSWER, model="m\r\nx-evil: 1 \u4e2d", ignored=("f" * 5000,))
    response = await ask(container_of(tmp_path, llm=Playing(answer=answer)), asked())
    assert response.headers["x-faultmaven-model"] == "m??x-evil: 1 ?"
    assert len(response.headers["x-faultmaven-ignored-fields"]) == 1000
    assert "x-evil" not in response.headers


async def test_the_first_answer_wins(tmp_path: Path) -> None:
    """Without a threshold of the caller's none holds, and nothing else is demanded."""
    options = await options_of(tmp_path)
    assert options["confidence_threshold"] == 0
    assert not {"model", "providers", "max_tokens", "temperature", "stop"} & set(options)


async def test_our_own_fields_reach_the_chain(tmp_path: Path) -> None:
    """Threshold, requirement, money, providers and the deadline are this gateway's."""
    options = await options_of(
        tmp_path,
        confidence_threshold=0.9,
        require_confidence=True,
        max_cost_usd=0.5,
        providers=["one"],
        deadline_ms=5000,
    )
    assert options["confidence_threshold"] == 0.9
    assert options["require_confidence"] is True
    assert options["max_cost_usd"] == 0.5
    assert options["providers"] == ("one",)
    assert 4.5 < (options["timeout"] or 0) <= 5
    controls = options["controls"]
    assert controls
    assert not controls.native
    assert not controls.parameters


@pytest.mark.parametrize(
    ("fields", "headers", "seconds"),
    [
        ({}, {}, 60),
        ({"deadline_ms": 5000}, {"x_request_timeout": "30"}, 5),
        ({"deadline_ms": 30000}, {"x_request_timeout": "2.5"}, 2.5),
        ({"deadline_ms": 3600000}, {}, 60),
    ],
)
async def test_the_earliest_deadline_counts(
    tmp_path: Path, fields: dict[str, Any], headers: dict[str, str], seconds: float
) -> None:
    """The service's own, the header's and the body's: whichever ends first."""
    llm = Playing()
    await ask(container_of(tmp_path, llm=llm), asked(**fields), **headers)
    timeout = llm.options[0]["timeout"] or 0
    assert seconds - 0.5 < timeout <= seconds


async def test_the_chain_falls_back_and_is_measured(tmp_path: Path) -> None:
    """The real chain: a provider fails, the next answers, and metrics count both."""
    rows = {
        "one": row(scripted(Fail(ProviderOverloadedError)), max_retries=0),
        "two": row(scripted(Say("It is full.")), default_model="model-2"),
    }
    container = container_of(tmp_path, rows=rows, variables={"FALLBACK_CHAIN": "two"})
    async with client_of(container) as client:
        response = await client.post(CHAT, json=asked())
        assert response.json()["choices"][0]["message"]["content"] == "It is full."
        assert response.json()["model"] == "model-2"
        assert response.headers["x-faultmaven-attempts"] == "2"
        labels = {"route": CHAT, "status": "200"}
        assert await sample(client, "faultmaven_requests_total", **labels) == 1


async def test_a_caller_who_leaves_ends_the_work(tmp_path: Path) -> None:
    """Nobody is asked for longer than somebody waits."""
    ended = asyncio.Event()

    class Stuck(Playing):
        """Never answers, and notes how it ends."""

        async def generate(self, prompt: str, **_kwargs: Any) -> LLMResponse:
            """Wait for ever."""
            assert prompt
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

    async with live_client(container_of(tmp_path, llm=Stuck())) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(CHAT, json=asked(), timeout=0.2)
        async with asyncio.timeout(5):
            await ended.wait()
