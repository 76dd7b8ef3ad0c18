"""Cohere's events are its whole answer in pieces, in both of its formats."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderConnectionError, ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire.cohere_chat import CohereChat
from faultmaven.infrastructure.llm.wire.cohere_generate import CohereGenerate
from faultmaven.infrastructure.llm.wire.types import (
    Codec,
    Completion,
    CompletionRequest,
    Endpoint,
    WireEvent,
    WireResponse,
)
from faultmaven.models.prompt import Message
from wire.conversations import conversations
from wire.cut_streams import chunks_of, compact, parts_of, whole

_CHAT, _GENERATE = CohereChat(), CohereGenerate()
_texts = st.text("ab é\n<>", max_size=12)
_calls = st.lists(
    st.tuples(
        st.sampled_from(["", "df_1", "du_2"]),
        st.sampled_from(["df", "du"]),
        st.sampled_from(["", "{}", '{"path":"/é"}']),
    ),
    max_size=3,
)


def _event(kind: str, index: int = 0, **message: Any) -> bytes:
    return _raw({"type": kind, "index": index, "delta": {"message": message}})


def _raw(data: dict[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {compact(data)}\n\n".encode()


def _call(call: tuple[str, str, str]) -> dict[str, Any]:
    call_id, name, arguments = call
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _usage() -> dict[str, Any]:
    return {"billed_units": {"input_tokens": 30, "output_tokens": 4}}


def _outcome(codec: Codec, chunks: list[bytes]) -> Completion | str:
    try:
        return whole(codec, chunks)
    except ProviderError as error:
        return str(error)


def _decoded(codec: Codec, answer: dict[str, Any]) -> Completion | str:
    try:
        return codec.decode(WireResponse(200, {}, compact(answer).encode()))
    except ProviderError as error:
        return str(error)


def _called(data: st.DataObject, index: int, call: tuple[str, str, str]) -> list[bytes]:
    begun = _call((*call[:2], ""))
    arguments = [{"function": {"arguments": part}} for part in data.draw(parts_of(call[2]))]
    return [
        _event("tool-call-start", index, tool_calls=begun),
        *(_event("tool-call-delta", index, tool_calls=part) for part in arguments),
        _event("tool-call-end", index),
    ]


@given(
    data=st.data(),
    thinking=_texts,
    text=_texts,
    calls=_calls,
    reason=st.sampled_from(["COMPLETE", "MAX_TOKENS", "TOOL_CALL", "ERROR"]),
)
def test_events_are_the_whole_answer(
    data: st.DataObject, thinking: str, text: str, calls: list[Any], reason: str
) -> None:
    """However an answer is cut into events and bytes, it is the answer in one piece."""
    first = data.draw(st.integers(0, 5))
    end = {"finish_reason": reason, "usage": _usage()}
    events = [
        _raw({"type": "message-start", "id": "c"}),
        *(
            _event("content-delta", content={"thinking": it})
            for it in data.draw(parts_of(thinking))
        ),
        *(_event("content-delta", 1, content={"text": it}) for it in data.draw(parts_of(text))),
        *(event for place, call in enumerate(calls, first) for event in _called(data, place, call)),
        _raw({"type": "message-end", "delta": end}),
    ]
    content = [{"type": "thinking", "thinking": thinking}, {"type": "text", "text": text}]
    message = {"content": content, "tool_calls": [_call(call) for call in calls]}
    answer = {"id": "c", "message": message, **end}

    found = _outcome(_CHAT, data.draw(chunks_of(b"".join(events))))

    assert found == _decoded(_CHAT, answer)


@given(data=st.data(), text=_texts, reason=st.sampled_from(["COMPLETE", "MAX_TOKENS", "ERROR"]))
def test_lines_are_the_whole_answer(data: st.DataObject, text: str, reason: str) -> None:
    """The first API's pieces are its whole answer too, which stands once more at their end."""
    generations = [{"id": "1", "text": text, "finish_reason": reason}]
    answer = {"id": "g", "generations": generations, "meta": _usage()}
    pieces = [{"event_type": "text-generation", "text": it} for it in data.draw(parts_of(text))]
    lines = [*pieces, {"event_type": "stream-end", "finish_reason": reason, "response": answer}]
    body = "".join(f"{compact(line)}\n" for line in lines).encode()

    found = _outcome(_GENERATE, data.draw(chunks_of(body)))

    assert found == _decoded(_GENERATE, answer)


@given(data=st.data())
def test_a_stream_that_lost_its_end_was_cut(data: st.DataObject) -> None:
    """Whatever part of a stream is missing at its end, what is left is no answer."""
    end = _raw({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}})
    body = _event("content-delta", content={"text": "The disk"}) + end
    kept = data.draw(st.integers(0, len(body) - 3))  # the last line ends alone may be missing

    with pytest.raises(ProviderConnectionError):
        whole(_CHAT, [body[:kept]])


@pytest.mark.parametrize("codec", [_CHAT, _GENERATE])
@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"[]", b"null", b"<html>", b"\xff"])
def test_what_is_no_event_is_refused(codec: Codec, data: bytes) -> None:
    """Half an event, or something else altogether, is malformed."""
    with pytest.raises(ProviderProtocolError):
        codec.reader().read(WireEvent(data))


def test_an_event_may_be_named_outside_of_its_data() -> None:
    """The name that the stream gives an event counts where its data has none."""
    delta = {"delta": {"message": {"content": {"text": "Full."}}}}

    (read,) = _CHAT.reader().read(WireEvent(compact(delta).encode(), "content-delta"))

    assert read.text == "Full."


@given(messages=conversations)
def test_any_conversation_is_written(messages: tuple[Message, ...]) -> None:
    """Every call has valid arguments and is answered at once; no id is used twice."""
    request = CompletionRequest("command-a-vision-07-2025", _without_shown_results(messages))

    body = json.loads(_CHAT.encode(request, Endpoint("https://h")).body)

    open_calls: list[str] = []
    seen: set[str] = set()
    for turn in body["messages"]:
        if turn["role"] == "tool":
            assert turn["tool_call_id"] == open_calls.pop(0)
            continue
        assert not open_calls
        for call in turn.get("tool_calls", ()):
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            open_calls.append(call["id"])
        assert turn.get("content") or turn.get("tool_calls")
        assert not seen.intersection(open_calls)
        seen.update(open_calls)


def _without_shown_results(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(item for item in messages if item.role != "tool" or not item.images)
