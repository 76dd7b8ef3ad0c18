"""The chain, while somebody listens to its answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import Fail, hand_written, row, schema, settings_of
from faultmaven.errors import (
    AllProvidersFailedError,
    AnswerCutError,
    ContentFilteredError,
    LowConfidenceError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderError,
    ProviderOverloadedError,
    ProviderProtocolError,
    ProviderTimeoutError,
    QuotaExceededError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Controls, Tool
from faultmaven.models.stream import Beginning, Delta, ToolCallPiece
from llm.streaming_doubles import CUT, Listener, Stream, streaming_chain

_FALLING: list[type[ProviderError]] = [
    ProviderConnectionError,
    ProviderTimeoutError,
    ProviderOverloadedError,
    RateLimitedError,
    QuotaExceededError,
    ProviderAuthError,
    ContentFilteredError,
    ProviderProtocolError,
]
_ANY_FALLING = st.sampled_from(_FALLING)
_THOUGHT = Delta(reasoning="Let me see.")


async def test_the_pieces_are_the_answer() -> None:
    """What is heard piece by piece is what is returned in the end."""
    chain, listener = streaming_chain({"one": [Stream()]}), Listener()
    answer = await chain.router.generate("Why?", listener=listener)
    assert (listener.text, answer.content) == ("The disk is full.", "The disk is full.")
    beginning, *pieces, attempt = listener.heard
    assert isinstance(beginning, Beginning)
    assert [type(piece) for piece in pieces] == [Delta, Delta]
    assert isinstance(attempt, Attempt)
    assert attempt.first_token_ms is not None
    assert attempt.connect_ms is not None
    assert chain.witness.seen == [("start", "one"), ("attempt", "one", "ok"), ("answer", "one")]


@pytest.mark.parametrize("kind", _FALLING)
@pytest.mark.parametrize("before", [(), (_THOUGHT,), (" \n",), (_THOUGHT, " ")])
async def test_any_failure_before_content_moves_on(
    kind: type[ProviderError], before: tuple[Any, ...]
) -> None:
    """Thoughts and blanks of a provider that then fails are never heard."""
    bad = Stream(before, fails=Fail(kind, prefers_next=True))
    chain = streaming_chain({"bad": [bad], "good": [Stream()]}, rows={"bad": {"max_retries": 0}})
    listener = Listener()
    answer = await chain.router.generate("Why?", listener=listener)
    assert answer.provider == "good"
    assert listener.beginnings == ["good"]
    assert [item for item in listener.heard if isinstance(item, Delta) and item.reasoning] == []
    assert listener.text == "The disk is full."


async def test_a_failure_after_content_is_told_and_nobody_else_is_asked() -> None:
    """What was passed on cannot be taken back: no retry, no fallback, no success."""
    chain = streaming_chain({"bad": [Stream(("The di",), fails=CUT)], "good": [Stream()]})
    listener = Listener()
    with pytest.raises(AnswerCutError) as caught:
        await chain.router.generate("Why?", listener=listener)
    assert chain.calls() == {"bad": 1, "good": 0}
    assert listener.text == "The di"
    assert [attempt.outcome for attempt in caught.value.attempts] == ["connection"]
    assert chain.witness.seen == [("start", "bad"), ("attempt", "bad", "connection")]
    assert not caught.value.attempts[0].cut_short, "it counts as the provider's failure"


@given(data=st.data())
def test_no_byte_is_heard_twice(data: st.DataObject) -> None:
    """Whatever fails where, a listener hears one provider only, and each piece of it once."""
    names = ["a", "b", "c"]
    scripts: dict[str, Any] = {}
    for name in names:
        pieces: list[Any] = data.draw(
            st.lists(st.sampled_from([f"{name}1 ", f"{name}2 ", " ", _THOUGHT]))
        )
        kind = data.draw(st.none() | _ANY_FALLING)
        fails = Fail(kind or ProviderProtocolError, prefers_next=True)
        well = kind is None and any(isinstance(p, str) and p.strip() for p in pieces)
        scripts[name] = [Stream(tuple(pieces), fails=None if well else fails)]
    rows = {name: {"max_retries": 0} for name in names}
    listener = Listener()
    asyncio.run(_play(scripts, rows, listener))
    assert len(listener.beginnings) <= 1
    if not listener.beginnings:
        assert listener.text == ""
        return
    said = scripts[listener.beginnings[0]][0].pieces
    texts = "".join(piece for piece in said if isinstance(piece, str))
    assert listener.text == texts.lstrip()


async def _play(scripts: Any, rows: Any, listener: Listener) -> None:
    chain = streaming_chain(scripts, rows=rows)
    with contextlib.suppress(AnswerCutError, AllProvidersFailedError):
        await chain.router.generate("Why?", listener=listener)


async def test_a_tool_call_is_content() -> None:
    """A call of a tool commits the chain as a text does."""
    call = Delta(tool_calls=(ToolCallPiece(0, "call_1", "df", "{}"),))
    chain = streaming_chain({"bad": [Stream((call,), fails=CUT)], "good": [Stream()]})
    listener = Listener()
    with pytest.raises(AnswerCutError):
        await chain.router.generate("?", listener=listener, controls=Controls(tools=(Tool("df"),)))
    assert listener.beginnings == ["bad"]


async def test_thoughts_are_heard_once_the_answer_begins() -> None:
    """What was held back comes first, apart from the answer."""
    chain = streaming_chain({"one": [Stream((_THOUGHT, "Full."))]})
    listener = Listener()
    await chain.router.generate("Why?", listener=listener)
    deltas = [item for item in listener.heard if isinstance(item, Delta)]
    assert [(delta.reasoning, delta.text) for delta in deltas] == [
        ("Let me see.", ""),
        ("", "Full."),
    ]


async def test_who_fails_is_told_before_who_begins() -> None:
    """A listener hears of each attempt as it ends."""
    chain = streaming_chain({"bad": [Fail(ProviderAuthError)], "good": [Stream()]})
    listener = Listener()
    await chain.router.generate("Why?", listener=listener)
    kinds = [type(item).__name__ for item in listener.heard]
    assert kinds == ["Attempt", "Beginning", "Delta", "Delta", "Attempt"]
    beginning = listener.heard[1]
    assert isinstance(beginning, Beginning)
    assert [attempt.provider for attempt in beginning.attempts] == ["bad"]


async def test_no_first_token_is_a_timeout_that_moves_on() -> None:
    """A provider that opens its stream and says nothing is left for the next one."""
    slow = Stream((_THOUGHT, 5.0, "late"))
    settings = {"STREAM_IDLE_TIMEOUT": "0.05"}
    chain = streaming_chain({"slow": [slow], "good": [Stream()]}, settings=settings)
    listener = Listener()
    answer = await chain.router.generate("Why?", listener=listener)
    assert (answer.provider, listener.beginnings) == ("good", ["good"])
    assert answer.attempts[0].outcome == "timeout"


async def test_the_first_token_has_a_limit_of_its_own() -> None:
    """FIRST_TOKEN_TIMEOUT is shorter than the provider's own timeout."""
    settings = {"FIRST_TOKEN_TIMEOUT": "0.05"}
    chain = streaming_chain({"slow": [Stream((5.0,))], "good": [Stream()]}, settings=settings)
    answer = await chain.router.generate("Why?", listener=Listener())
    assert "no first token within 0.1 s" in (answer.attempts[0].detail or "")


async def test_silence_between_tokens_cuts_the_answer() -> None:
    """After content, a silence that is too long is a failure that is told."""
    stalls = Stream(("The di", 5.0, "sk"))
    chain = streaming_chain({"stalls": [stalls]}, settings={"STREAM_IDLE_TIMEOUT": "0.05"})
    with pytest.raises(AnswerCutError, match="no token for"):
        await chain.router.generate("Why?", listener=Listener())


async def test_a_slow_reader_is_not_the_providers_silence() -> None:
    """Time that the listener takes is not held against anybody, within the whole."""
    chain = streaming_chain({"one": [Stream()]}, settings={"STREAM_IDLE_TIMEOUT": "0.05"})
    answer = await chain.router.generate("Why?", listener=Listener(pause=0.15))
    assert answer.content == "The disk is full."


async def test_a_reader_that_stops_reading_blames_nobody() -> None:
    """The whole has a limit for readers too, and the provider's health does not suffer."""
    chain = streaming_chain({"one": [Stream()]})
    with pytest.raises(AnswerCutError) as caught:
        await chain.router.generate("Why?", listener=Listener(pause=60), timeout=0.1)
    assert caught.value.attempts[0].cut_short


async def test_the_service_s_deadline_ends_with_the_beginning() -> None:
    """REQUEST_TIMEOUT bounds the wait for an answer; being read may take longer."""
    settings = {"REQUEST_TIMEOUT": "0.2", "STREAM_TIMEOUT": "5"}
    chain = streaming_chain({"one": [Stream(("a", 0.15, "b", 0.15, "c"))]}, settings=settings)
    answer = await chain.router.generate("Why?", listener=Listener())
    assert answer.content == "abc"


async def test_a_caller_s_own_deadline_holds_to_the_end() -> None:
    """Who says when the answer must be whole is taken at their word."""
    chain = streaming_chain({"one": [Stream(("a", 0.15, "b", 0.15, "c"))]})
    with pytest.raises(AnswerCutError, match="no end of the answer within"):
        await chain.router.generate("Why?", listener=Listener(), timeout=0.2)


async def test_an_asked_for_confidence_is_judged_before_anything_is_heard() -> None:
    """With a threshold the chain goes on below it, and only the winner is heard."""
    rows = {"low": {"confidence_score": 0.3}, "high": {"confidence_score": 0.9}}
    texts = {"low": [Stream(("guess",))], "high": [Stream(("sure",))]}
    chain = streaming_chain(texts, rows=rows)
    for class_ in chain.classes.values():
        class_.complete = _complete_in_one_piece  # type: ignore[method-assign]
    listener = Listener()
    answer = await chain.router.generate("Why?", listener=listener, confidence_threshold=0.8)
    assert (answer.provider, listener.beginnings) == ("high", ["high"])
    assert listener.text == answer.content
    beginning = next(item for item in listener.heard if isinstance(item, Beginning))
    assert [attempt.provider for attempt in beginning.attempts] == ["low"]
    quiet = Listener()
    demand = {"confidence_threshold": 0.99, "require_confidence": True, "listener": quiet}
    with pytest.raises(LowConfidenceError):
        await chain.router.generate("Why?", **demand)
    assert quiet.beginnings == []


async def _complete_in_one_piece(self: Any, request: Any, *, timeout: float) -> Any:  # noqa: ASYNC109
    listener = Listener()
    listener_ear = _Ear(listener)
    del timeout
    return await self.stream(request, listener_ear)


class _Ear:
    """An ear for an answer nobody listens to."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def opened(self) -> None:
        """Take note of nothing."""

    async def hear(self, delta: Delta) -> None:
        """Remember it."""
        await self._listener.on_delta(delta)


async def test_without_a_threshold_the_first_content_commits() -> None:
    """An answer that is being read stays, however unsure it is, and says so."""
    rows = {"low": {"confidence_score": 0.3}, "high": {"confidence_score": 0.9}}
    chain = streaming_chain({"low": [Stream()], "high": [Stream()]}, rows=rows)
    answer = await chain.router.generate("Why?", listener=Listener())
    assert (answer.provider, answer.stopped_because) == ("low", "committed")
    assert answer.assessment is not None
    assert answer.assessment.below_threshold


async def test_a_hand_written_provider_is_heard_in_one_piece() -> None:
    """Three methods suffice for streams too."""

    async def behave(_self: Any) -> LLMResponse:
        return LLMResponse("It is DNS.", 0.9, "mine", "m", 5, 1)

    with schema({"mine": row(hand_written(behave))}):
        registry = ProviderRegistry(settings_of({"CHAT_PROVIDER": "mine"}))
    listener = Listener()
    await LLMRouter(registry).generate("Why?", listener=listener)
    assert (listener.beginnings, listener.text) == (["mine"], "It is DNS.")


async def test_a_hand_written_provider_takes_no_tools() -> None:
    """It is passed over with a reason rather than asked for what it cannot do."""

    async def behave(_self: Any) -> LLMResponse:
        raise AssertionError("it must not be asked")

    with schema({"mine": row(hand_written(behave))}):
        registry = ProviderRegistry(settings_of({"CHAT_PROVIDER": "mine"}))
    tools = Controls(tools=(Tool("df"),))
    with pytest.raises(Exception, match="takes no tools"):
        await LLMRouter(registry).generate("Why?", controls=tools)


@pytest.mark.parametrize("pieces", [(), (_THOUGHT,), ("Full",)])
async def test_a_listener_who_leaves_blames_nobody(pieces: tuple[Any, ...]) -> None:
    """Cancelling the call ends the attempt as cancelled, before and after the first token."""
    chain = streaming_chain({"one": [Stream((*pieces, 60.0))]})
    work = asyncio.create_task(chain.router.generate("Why?", listener=Listener()))
    await asyncio.sleep(0.02)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert chain.witness.seen == [("start", "one"), ("cancel", "one")]
