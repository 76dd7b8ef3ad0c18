"""What a stream's end is: its bytes in time, through a real codec and the real watch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from doubles import row, schema, settings_of
from faultmaven.errors import AnswerCutError, ProviderConnectionError
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.transport import WireStream
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Controls, Tool
from faultmaven.models.stream import Delta
from llm.streaming_doubles import Listener

CUT = ProviderConnectionError("the connection was lost")
DONE = b"data: [DONE]\n\n"
USAGE = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}


def _event(body: Any) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _said(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    delta = {"content": text, **more} if text or more else {}
    return _event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


class Play:
    """A transport that plays a body: bytes, seconds of silence, a failure."""

    def __init__(self, *body: bytes | float | Exception, kind: str = "text/event-stream") -> None:
        self._body, self._kind = body, kind

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109
        """Refuse: these answers are streamed."""
        raise AssertionError((request.url, timeout))

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:
        """Play."""
        del request
        yield WireStream(200, {"content-type": self._kind}, self._chunks())

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        for part in self._body:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, float):
                await asyncio.sleep(part)
            else:
                yield part


async def _ask(play: Play, listener: Listener, **options: Any) -> LLMResponse:
    rows = {"one": row(OpenAIProvider, default_model="gpt-4o", max_retries=0)}
    settings = {"CHAT_PROVIDER": "one", "STREAM_IDLE_TIMEOUT": options.pop("idle", "5")}
    with schema(rows):
        registry = ProviderRegistry(settings_of(settings), transport=play)
    return await LLMRouter(registry).generate("Why?", listener=listener, **options)


@pytest.mark.parametrize("silence", [(), (CUT,), (30.0, CUT)])
async def test_what_follows_the_finish_costs_nothing(silence: tuple[Any, ...]) -> None:
    """Without usage, end mark and end of body the answer is complete all the same."""
    listener = Listener()
    answer = await _ask(Play(_said("Full."), _said(finish="stop"), *silence), listener)
    assert (answer.content, listener.text) == ("Full.", "Full.")


@pytest.mark.parametrize("limits", [{"timeout": 0.3}, {"idle": "0.2"}])
async def test_a_limit_that_falls_behind_the_finish_breaks_nothing_off(
    limits: dict[str, Any],
) -> None:
    """Neither the deadline nor the limit of silence turns a whole answer into a cut one."""
    answer = await _ask(Play(_said("Full."), _said(finish="stop"), 30.0), Listener(), **limits)
    assert answer.attempts[0].outcome == "ok"


async def test_who_goes_on_after_a_finish_is_heard_to_the_end() -> None:
    """A finish in each piece, as some vendors write, ends nothing."""
    pieces = [part for word in ("one ", "two ", "three") for part in (_said(word, "stop"), 0.05)]
    listener = Listener()
    answer = await _ask(Play(*pieces, 1.2, _said("!", "stop")), listener)
    assert listener.text == answer.content == "one two three!"


async def test_who_goes_on_and_is_cut_is_cut() -> None:
    """After talking on, a lost connection is no end."""
    play = Play(_said("one ", "stop"), _said("two "), CUT)
    with pytest.raises(AnswerCutError):
        await _ask(play, Listener())


async def test_usage_at_the_very_end_without_a_line_end_counts() -> None:
    """Some servers forget the last blank line."""
    play = Play(_said("Full."), _said(finish="stop"), _event(USAGE).rstrip())
    assert (await _ask(play, Listener())).usage.prompt == 9


async def test_tokens_of_a_stream_that_was_cut_are_counted() -> None:
    """What a vendor said of its usage before it broke off is on the attempt."""
    play = Play(_event(USAGE), _said("Ful"), CUT)
    with pytest.raises(AnswerCutError) as caught:
        await _ask(play, Listener())
    assert caught.value.attempts[0].usage.prompt == 9


async def test_a_tool_nobody_offered_is_no_content() -> None:
    """Streamed or in one piece, it moves on before anything is heard."""
    call = {
        "index": 0,
        "id": "c",
        "type": "function",
        "function": {"name": "df", "arguments": "{}"},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    whole = Play(json.dumps(body).encode(), kind="Application/JSON; charset=utf-8")
    streamed = Play(_said(tool_calls=[call]), _said(finish="tool_calls"), DONE)
    for play in (whole, streamed):
        listener = Listener()
        with pytest.raises(Exception, match="asked for a tool instead"):
            await _ask(play, listener)
        assert listener.beginnings == []


async def test_a_call_without_a_name_is_held_back_until_it_has_one() -> None:
    """Its pieces are heard with the name, none of them lost."""

    def piece(**function: str) -> bytes:
        return _said(tool_calls=[{"index": 0, "function": function}])

    play = Play(piece(arguments='{"a"'), piece(name="df", arguments=":1"), piece(arguments="}"),
                _said(finish="tool_calls"), DONE)  # fmt: skip
    listener = Listener()
    answer = await _ask(play, listener, controls=Controls(tools=(Tool("df"),)))
    heard = [c for item in listener.heard if isinstance(item, Delta) for c in item.tool_calls]
    assert (heard[0].name, "".join(c.arguments for c in heard)) == ("df", '{"a":1}')
    assert answer.tool_calls[0].arguments == '{"a":1}'


async def test_a_timeout_of_the_watch_says_what_to_do() -> None:
    """It carries provider and advice as every other failure does."""
    with pytest.raises(AnswerCutError) as caught:
        await _ask(Play(_said("Ful"), 30.0), Listener(), idle="0.1")
    attempt = caught.value.attempts[0]
    assert attempt.outcome == "timeout"
    assert attempt.hint
