"""What Gemini's events mean beside the recorded streams."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven import errors
from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.gemini_content import GeminiContent
from faultmaven.infrastructure.llm.wire.types import EventReader, WireEvent, WireResponse
from faultmaven.models.stream import Delta

_CALL = {"functionCall": {"name": "df", "args": {"path": "/"}}}


def _event(*parts: dict[str, Any], **candidate: Any) -> WireEvent:
    content = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    return WireEvent(json.dumps({"candidates": [content | candidate]}).encode())


def _read(*events: WireEvent, reader: EventReader | None = None) -> list[Delta]:
    reader = reader or GeminiContent().reader()
    return [delta for event in events for delta in reader.read(event)]


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([_event(_CALL, finishReason="STOP")], "tool_calls"),
        ([_event(_CALL), _event({"text": ""}, finishReason="STOP")], "tool_calls"),
        ([_event(_CALL), _event(finishReason="MAX_TOKENS")], "MAX_TOKENS"),
        ([_event({"text": "Full."}, finishReason="STOP")], "STOP"),
        ([_event(_CALL, finishReason="FINISH_REASON_UNSPECIFIED")], ""),
        ([_event(_CALL)], ""),
    ],
)
def test_calls_tell_an_ordinary_stop_apart(events: list[WireEvent], word: str) -> None:
    """Gemini stops for tools under an ordinary word; that it has not stopped is told as well."""
    reader = GeminiContent().reader()

    assert _read(*events, reader=reader)[-1].finish_reason == word
    assert not reader.ended


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 503, "status": "UNAVAILABLE"}, errors.ProviderOverloadedError),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, errors.RateLimitedError),
        ({"code": 500, "status": "INTERNAL"}, errors.ProviderOverloadedError),
        ({"code": 403, "status": "PERMISSION_DENIED"}, errors.ProviderAuthError),
    ],
)
def test_error_inside_a_200_has_its_class(
    error: dict[str, Any], expected: type[ProviderError]
) -> None:
    """An error in an event means what the same error would mean under its own status."""
    with pytest.raises(expected):
        _read(WireEvent(json.dumps({"error": error}).encode()))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"<html>", b'{"candidates": 1}'])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    """Half an event, or something else altogether, is malformed."""
    with pytest.raises(errors.ProviderProtocolError):
        _read(WireEvent(data))


def test_event_without_news_says_nothing() -> None:
    """Books alone, or nothing at all, are no piece of the answer."""
    assert _read(WireEvent(b"{}"), _event({"text": ""}), _event({"functionCall": {}})) == []


def test_ids_are_made_up_the_same_way_twice() -> None:
    """Calls without ids get different ones, and each the same in a stream as in a whole answer."""
    parts = [_CALL, _CALL]
    whole = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    assembly = Assembly()
    for delta in _read(_event(_CALL), _event(_CALL, finishReason="STOP")):
        assembly.add(delta)

    completion = assembly.completion()

    assert completion == GeminiContent().decode(WireResponse(200, {}, json.dumps(whole).encode()))
    first, second = completion.tool_calls
    assert first.id != second.id


def test_tokens_without_probabilities_are_left_out() -> None:
    """A token's entry says how probable it was, or is not there."""
    chosen = {"chosenCandidates": [{"token": "a"}, {"token": "b", "logProbability": -1}]}
    tops = {"topCandidates": [{}, {"candidates": [{"token": "c"}]}, {"candidates": []}]}

    (delta,) = _read(_event(logprobsResult=chosen | tops))

    assert delta.logprobs == ({"token": "b", "logprob": -1.0, "bytes": [98], "top_logprobs": []},)


_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_documents = st.recursive(
    _leaves | st.sampled_from(["STOP", "SAFETY", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("candidates", "content", "parts", "text", "thought", "functionCall"),
                    *("name", "args", "id", "thoughtSignature", "finishReason", "error"),
                    *("promptFeedback", "blockReason", "usageMetadata", "logprobsResult"),
                    *("chosenCandidates", "topCandidates", "token", "logProbability"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
_parts = st.lists(
    st.fixed_dictionaries(
        {}, optional={"text": _leaves, "thought": st.booleans(), "functionCall": _documents}
    ),
    max_size=4,
)
_pieces = _documents | _parts.map(lambda parts: {"candidates": [{"content": {"parts": parts}}]})


@given(events=st.lists(_pieces, max_size=5))
@settings(max_examples=100)
def test_any_events_are_read_or_refused(events: list[Any]) -> None:
    """Whatever stands in the events, there are pieces or a provider's error, never a crash."""
    try:
        deltas = _read(*(WireEvent(json.dumps(event).encode()) for event in events))
    except ProviderError:
        return

    calls = [piece for delta in deltas for piece in delta.tool_calls]
    assert [piece.index for piece in calls] == list(range(len(calls)))
    assert all(piece.id and piece.name for piece in calls)
