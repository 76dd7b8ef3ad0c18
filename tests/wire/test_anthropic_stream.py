"""What Anthropic's events mean beside the recorded streams."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven import errors
from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.anthropic_messages import AnthropicMessages
from faultmaven.infrastructure.llm.wire.types import EventReader, WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.stream import Delta, ToolCallPiece

_KINDS = (
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop", "ping", "error", "novelty"),
)
_BLOCKS = ("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use")


def _event(kind: str, **fields: Any) -> WireEvent:
    return WireEvent(json.dumps({"type": kind, **fields}).encode(), kind)


def _begun(block: dict[str, Any], index: int = 0) -> WireEvent:
    return _event("content_block_start", index=index, content_block=block)


def _finish(reason: str, **usage: int) -> WireEvent:
    return _event("message_delta", delta={"stop_reason": reason}, usage=usage)


def _read(*events: WireEvent, reader: EventReader | None = None) -> list[Delta]:
    reader = reader or AnthropicMessages().reader()
    return [delta for event in events for delta in reader.read(event)]


def test_only_the_end_mark_ends_it() -> None:
    """``message_stop`` ends the stream, whatever the reason before it."""
    reader = AnthropicMessages().reader()

    _read(_finish("end_turn"), _event("ping"), reader=reader)
    assert not reader.ended
    assert _read(_event("message_stop"), reader=reader) == []
    assert reader.ended


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", errors.ProviderOverloadedError),
        ("api_error", errors.ProviderOverloadedError),
        ("rate_limit_error", errors.RateLimitedError),
        ("authentication_error", errors.ProviderAuthError),
        ("billing_error", errors.QuotaExceededError),
        ("novel_error", errors.ProviderProtocolError),
    ],
)
def test_error_inside_a_200_has_its_class(kind: str, expected: type[ProviderError]) -> None:
    """An error event means what the same error would mean under its own status."""
    with pytest.raises(expected):
        _read(_event("error", error={"type": kind, "message": "No."}))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"{}", b"<html>", b'{"type": {}'])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    """Half an event, or something else altogether, is malformed."""
    with pytest.raises(errors.ProviderProtocolError):
        _read(WireEvent(data))


def test_thoughts_alone_are_nothing_said() -> None:
    """A model that refuses after it thought has not answered: another provider may."""
    thought = _begun({"type": "thinking", "thinking": "Hm."})

    with pytest.raises(errors.ContentFilteredError):
        _read(thought, _finish("refusal"))


def test_call_is_something_said() -> None:
    """A model that refuses behind a call has said something: it stays said."""
    call = _begun({"type": "tool_use", "id": "t", "name": "df"})

    assert _read(call, _finish("refusal"))[-1].finish_reason == "content_filter"


def test_call_may_come_whole() -> None:
    """A server that speaks Anthropic's format may give a call's arguments at once."""
    call = _begun({"type": "tool_use", "id": "t", "name": "df", "input": {"path": "/"}})

    deltas = _read(call, _event("content_block_stop", index=0))

    assert deltas == [Delta(tool_calls=(ToolCallPiece(0, "t", "df", '{"path":"/"}'),))]


def test_streamed_and_whole_are_read_alike() -> None:
    """Blocks of thoughts, parted by a line feed, text and calls come out the same either way."""
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Look.", "signature": "s1"},
        {"type": "thinking", "thinking": "Hm.", "signature": "s2"},
        {"type": "text", "text": "Full."},
        {"type": "tool_use", "id": "t", "name": "df", "input": {"path": "/"}},
    ]
    whole = {"type": "message", "content": blocks, "stop_reason": "tool_use"}
    events = [
        event
        for place, block in enumerate(blocks)
        for event in (_begun(block, place), _event("content_block_stop", index=place))
    ]
    assembly = Assembly()
    for delta in _read(*events, _finish("tool_use")):
        assembly.add(delta)

    expected = AnthropicMessages().decode(WireResponse(200, {}, json.dumps(whole).encode()))
    assert assembly.completion() == expected
    assert expected.reasoning == "Look.\nHm."


def test_counts_that_an_event_leaves_out_stay() -> None:
    """The last word on each count stands, whichever event says it."""
    message = {"usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}}

    begun, ended, unsaid = _read(
        _event("message_start", message=message),
        _finish("end_turn", output_tokens=9),
        _finish("end_turn"),
    )

    assert begun.usage == Usage(prompt=15, completion=1, cached=5)
    assert ended.usage == unsaid.usage == Usage(prompt=15, completion=9, cached=5)


_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_objects = st.dictionaries(
    st.sampled_from(
        [
            *("type", "text", "thinking", "signature", "data", "id", "name", "input"),
            *("partial_json", "stop_reason", "usage", "output_tokens", "message", "model"),
        ]
    ),
    _leaves | st.sampled_from([*_BLOCKS, "refusal", "text_delta", "input_json_delta"]),
    max_size=6,
)
_events = st.fixed_dictionaries(
    {"type": st.sampled_from(_KINDS)},
    optional={
        "index": _leaves | st.integers(0, 2),
        "message": _objects,
        "content_block": _objects,
        "delta": _objects,
        "usage": _objects,
        "error": _objects,
    },
)


@given(events=st.lists(_events, max_size=8))
@settings(max_examples=100)
def test_any_events_are_read_or_refused(events: list[dict[str, Any]]) -> None:
    """Whatever stands in the events, there are pieces or a provider's error, never a crash."""
    try:
        deltas = _read(*(WireEvent(json.dumps(event).encode()) for event in events))
    except ProviderError:
        return

    pieces = [piece for delta in deltas for piece in delta.tool_calls]
    named = [piece.index for piece in pieces if piece.id or piece.name]
    assert sorted(named) == named
