"""Whatever a server sends, a codec raises nothing but a provider's error, and shows no secret."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.errors import is_misdirected
from faultmaven.infrastructure.llm.wire.types import Codec, Completion, WireEvent, WireResponse
from wire.codecs import CODECS

_SECRETS = (
    "sk-ant-api03-PLANTED0123456789",
    "sk-PLANTED0123456789abcdef",
    "AIzaPLANTED0123456789abcdef",
    "hf_PLANTED0123456789abcdef",
    "fw_PLANTED0123456789abcdef",
)
# The names that any of the formats reads, so that random documents come near to an answer.
_NAMES = (
    *("choices", "message", "content", "text", "type", "error", "code", "status"),
    *("details", "retryDelay", "finish_reason", "usage", "candidates", "parts"),
    *("promptFeedback", "blockReason", "generations", "meta", "billed_units"),
    *("generated_text", "done_reason", "data", "id", "models", "name", "model_id"),
    *("thinking", "reasoning_content", "refusal", "tool_calls", "logprobs", "cost"),
    *("availability", "retry_after", "metadata", "error_type", "stop_reason"),
    *("usageMetadata", "detail", "loc", "msg", "estimated_time", "finishReason"),
    *("thought", "functionCall", "generated_tokens", "function", "arguments", "index"),
)

_leaves = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from((*_SECRETS, "text", "stop", "SAFETY", "refusal", "error", "tool_use"))
)
_documents = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=25,
)
_bodies = st.binary(max_size=200) | _documents.map(lambda document: json.dumps(document).encode())
# Of the shape of a piece, so that what lies deep is reached as well.
_pieces = st.builds(
    lambda delta, finish: {"choices": [{"delta": delta, "finish_reason": finish}]},
    _documents,
    st.none() | st.just("stop"),
)
_events = st.builds(
    WireEvent,
    _bodies | _pieces.map(lambda document: json.dumps(document).encode()),
    st.sampled_from(["", "error", "content_block_delta", "message_stop"]),
)
_headers = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "x-should-retry", "content-type"]),
    st.text(max_size=40) | st.sampled_from(["Sun, 22 Nov 2026 10:00:05 GMT", "1e309", "0x1"]),
)
_each_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


def _assert_safe(error: ProviderError) -> None:
    shown = f"{error} {error!r} {error.hint}"
    assert not any(secret in shown for secret in _SECRETS)
    assert len(str(error)) <= 200
    assert error.retry_after is None or error.retry_after >= 0


@_each_codec
@given(body=_bodies)
@settings(max_examples=40, deadline=None)
def test_any_200_is_an_answer_or_an_error(codec: Codec, body: bytes) -> None:
    """Any body under 200 gives text, a call of a tool, or a provider's error (S37, S69)."""
    try:
        completion = codec.decode(WireResponse(200, {}, body))
    except ProviderError as error:
        _assert_safe(error)
    else:
        assert isinstance(completion, Completion)
        assert completion.text.strip() or completion.tool_calls


@_each_codec
@given(events=st.lists(_events, max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_stream_is_an_answer_or_an_error(codec: Codec, events: list[WireEvent]) -> None:
    """Any events give text, a call of a tool, or an error: nothing is a silent success."""
    reader, assembly = codec.reader(), Assembly()
    try:
        for delta in (delta for event in events for delta in reader.read(event)):
            assembly.add(delta)
        completion = assembly.completion()
    except ProviderError as error:
        _assert_safe(error)
    else:
        assert completion.text.strip() or completion.tool_calls


@_each_codec
@given(status=st.integers(100, 999), headers=_headers, body=_bodies)
@settings(max_examples=40, deadline=None)
def test_any_failure_is_an_error(
    codec: Codec, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Any status with any headers and body gives a provider's error, never a crash (S37, S69)."""
    response = WireResponse(status, headers, body)

    _assert_safe(codec.decode_error(response))
    assert is_misdirected(response) in (True, False)


@_each_codec
@given(body=_bodies)
@settings(max_examples=15, deadline=None)
def test_any_list_of_models_is_read_or_refused(codec: Codec, body: bytes) -> None:
    """Any body of a free call gives names, or a provider's error."""
    try:
        listing: Any = codec.decode_check(WireResponse(200, {}, body))
    except ProviderError as error:
        _assert_safe(error)
    else:
        assert all(isinstance(name, str) for name in listing.models)
