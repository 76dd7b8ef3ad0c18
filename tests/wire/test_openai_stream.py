"""An answer in pieces is the answer in one piece, however a server cuts it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderConnectionError, ProviderError
from faultmaven.infrastructure.llm.wire.answer import Assembly, finished
from faultmaven.infrastructure.llm.wire.embedded_chat import EmbeddedChat
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import ChatDialect
from faultmaven.infrastructure.llm.wire.openai_stream import ChatReader
from faultmaven.infrastructure.llm.wire.thinking import ThinkingSplitter
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireEvent,
    WireResponse,
)
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Message, Thought, ToolCall
from faultmaven.models.stream import Delta, ToolCallPiece

_words = st.text("ab <>{}\n", max_size=12)
_calls = st.builds(
    ToolCall,
    id=st.text("abc", min_size=1, max_size=3),
    name=st.sampled_from(["df", "uptime"]),
    arguments=st.sampled_from(["", "{}", '{"path":"/é"}']),
    signature=st.sampled_from(["", "c2ln"]),
)
_logprobs = st.builds(
    lambda token, value: {"token": token, "logprob": value, "bytes": None, "top_logprobs": []},
    st.text(max_size=2),
    st.floats(-10, 0),
)
_completions = st.builds(
    Completion,
    text=_words | _words.map("<think>{}".format),
    finish_reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter", "odd"]),
    usage=st.builds(Usage, *[st.integers(0, 99)] * 4),
    model=st.sampled_from(["", "m"]),
    reasoning=_words,
    cost_usd=st.none() | st.floats(0, 1),
    tool_calls=st.lists(_calls, max_size=3, unique_by=lambda call: call.id).map(tuple),
    logprobs=st.lists(_logprobs, max_size=3).map(tuple),
)


def _mean(completion: Completion) -> Completion:
    values = [item["logprob"] for item in completion.logprobs]
    return replace(completion, mean_logprob=sum(values) / len(values) if values else None)


def _cut(data: st.DataObject, text: str) -> Iterator[str]:
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=4))
    return (text[begin:end] for begin, end in pairwise([0, *sorted(places), len(text)]))


def _call_pieces(data: st.DataObject, calls: Sequence[ToolCall]) -> Iterator[Delta]:
    """Calls begin in their order; what follows of each may come between the others."""
    for index, call in enumerate(calls):
        first = ToolCallPiece(index, call.id, call.name, signature=call.signature)
        yield Delta(tool_calls=(first,))
    yield from _mixed(data, [_arguments(data, *numbered) for numbered in enumerate(calls)])


def _arguments(data: st.DataObject, index: int, call: ToolCall) -> Iterator[Delta]:
    for part in _cut(data, call.arguments):
        yield Delta(tool_calls=(ToolCallPiece(index, arguments=part),))


def _deltas(data: st.DataObject, whole: Completion) -> list[Delta]:
    """The completion in pieces: each kind in its order, the kinds in any, the finish last."""
    kinds: list[Iterator[Delta]] = [
        (Delta(text=part) for part in _cut(data, whole.text)),
        (Delta(reasoning=part) for part in _cut(data, whole.reasoning)),
        (Delta(logprobs=(item,)) for item in whole.logprobs),
        (Delta(thought=thought) for thought in whole.thoughts),
        _call_pieces(data, whole.tool_calls),
    ]
    usage = Delta(usage=whole.usage, cost_usd=whole.cost_usd)
    last = [Delta(finish_reason=whole.finish_reason), usage]
    return [Delta(model=whole.model), *_mixed(data, kinds), *last]


def _mixed(data: st.DataObject, kinds: Sequence[Iterator[Delta]]) -> Iterator[Delta]:
    left = dict(enumerate(kinds))
    while left:
        chosen = data.draw(st.sampled_from(sorted(left)))
        delta = next(left[chosen], None)
        if delta is None:
            del left[chosen]
        else:
            yield delta


def _assembled(deltas: Iterable[Delta]) -> Completion:
    assembly = Assembly()
    for delta in deltas:
        assembly.add(delta)
    return assembly.completion()


def _outcome(read: Any) -> tuple[Any, str]:
    """What comes of it: a completion, or the kind of error and its words."""
    try:
        return read(), ""
    except ProviderError as error:
        return type(error), str(error)


@given(completion=_completions, thoughts=st.booleans(), data=st.data())
def test_pieces_make_the_whole(
    completion: Completion, *, thoughts: bool, data: st.DataObject
) -> None:
    """Whatever the pieces, they make the completion that the whole makes, or its error."""
    signed = (Thought("Look.", "c2ln"), Thought(hidden="x")) if thoughts else ()
    whole = replace(_mean(completion), thoughts=signed)
    deltas = _deltas(data, whole)

    assert _outcome(lambda: _assembled(deltas)) == _outcome(lambda: finished(whole))


@given(completion=_completions.map(lambda item: replace(item, reasoning="")), data=st.data())
def test_thoughts_told_apart_on_the_way_make_the_same_whole(
    completion: Completion, data: st.DataObject
) -> None:
    """Whoever feeds the pieces may have told thoughts from the text already."""
    whole = replace(completion, text=f"<think>{completion.text}</think>a b", logprobs=())
    splitter = ThinkingSplitter()
    split = [splitter.feed(part) for part in _cut(data, whole.text)]
    deltas = [Delta(text=text, reasoning=thought) for text, thought in [*split, splitter.close()]]
    last = [delta for delta in _deltas(data, replace(whole, text="")) if not delta.text]

    assert _outcome(lambda: _assembled([*deltas, *last])) == _outcome(lambda: finished(whole))


def test_an_assembly_without_its_finish_was_cut() -> None:
    """Text, calls and books are no finish."""
    assembly = Assembly()
    assembly.add(Delta(text="Full.", tool_calls=(ToolCallPiece(0, "c", "df"),), usage=Usage(1, 2)))

    assert not assembly.finished
    with pytest.raises(ProviderConnectionError, match="cut"):
        assembly.completion()


def _written(completion: Completion) -> dict[str, Any]:
    """The completion as a whole body."""
    message = {
        "content": completion.text,
        "reasoning_content": completion.reasoning,
        "tool_calls": [_call(call) for call in completion.tool_calls],
    }
    choice = {
        "message": message,
        "finish_reason": completion.finish_reason,
        "logprobs": {"content": completion.logprobs},
    }
    return {"model": completion.model, "choices": [choice], "usage": _usage(completion)}


def _usage(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        "cost": completion.cost_usd,
    }


def _call(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "function": {"name": call.name, "arguments": call.arguments},
        "extra_content": {"google": {"thought_signature": call.signature}},
    }


def _events(completion: Completion, deltas: Iterable[Delta]) -> Iterator[bytes]:
    """The pieces as a server writes them, and the finish in a chunk of its own."""
    for delta in deltas:
        piece = {
            "content": delta.text or None,
            "reasoning_content": delta.reasoning or None,
            "tool_calls": [
                {
                    "index": part.index,
                    "id": part.id or None,
                    "function": {"name": part.name or None, "arguments": part.arguments},
                    "extra_content": {"google": {"thought_signature": part.signature}},
                }
                for part in delta.tool_calls
            ],
        }
        choice = {
            "delta": piece,
            "finish_reason": delta.finish_reason or None,
            "logprobs": {"content": delta.logprobs},
        }
        usage = _usage(completion) if delta.usage else None
        yield json.dumps({"model": delta.model, "choices": [choice], "usage": usage}).encode()
    yield b"[DONE]"


@given(completion=_completions, data=st.data())
def test_a_stream_is_read_as_the_whole_answer_is(
    completion: Completion, data: st.DataObject
) -> None:
    """An answer gives the same completion, or the same error, in one piece and as a stream."""
    whole = replace(completion, finish_reason=data.draw(st.sampled_from(["stop", "length"])))
    body = json.dumps(_written(whole)).encode()
    events = [WireEvent(event) for event in _events(whole, _deltas(data, whole))]
    stream = b"".join(b"data: %b\n\n" % event.data for event in events)

    reader = ChatReader()
    streamed = _outcome(lambda: _assembled(d for event in events for d in reader.read(event)))

    assert streamed == _outcome(lambda: OpenAIChat().decode(WireResponse(200, {}, body)))
    kind = {"content-type": "text/event-stream"}
    assert streamed == _outcome(lambda: EmbeddedChat().decode(WireResponse(200, kind, stream)))
    assert reader.ended or isinstance(streamed[0], type)


@given(bodies=st.lists(st.binary(max_size=40) | st.sampled_from([b"{}", b"[DONE]"]), max_size=4))
def test_any_event_is_read_or_refused(bodies: list[bytes]) -> None:
    """Whatever an event holds, it is a piece, or a provider's error, never a crash."""
    reader = ChatReader()

    outcome, words = _outcome(
        lambda: [delta for body in bodies for delta in reader.read(WireEvent(body))]
    )

    assert outcome == [] or issubclass(outcome, ProviderError)
    assert len(words) <= 200


def test_a_dialect_may_not_know_stream_options() -> None:
    """Whoever refuses the field is asked for a stream without it."""
    request = CompletionRequest("m", (Message("user", "Why?"),), stream=True)
    dialect = ChatDialect(stream_usage=False)

    body = json.loads(OpenAIChat(dialect).encode(request, Endpoint("http://127.0.0.1:1")).body)

    assert body["stream"] is True
    assert "stream_options" not in body
