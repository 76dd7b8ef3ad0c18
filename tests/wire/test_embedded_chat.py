"""The embedded engine's stream, taken in one piece and in many."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from faultmaven.errors import ProviderConnectionError, ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire.embedded_chat import EmbeddedChat
from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireResponse,
)
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Message

_PROGRESS = {
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}],
    "prompt_progress": {"total": 9, "processed": 4},
}
_USAGE = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}


def _piece(text: str, finish: str | None = None) -> dict[str, Any]:
    delta = {"content": text} if text else {}
    return {"model": "qwen", "choices": [{"delta": delta, "finish_reason": finish}]}


def _stream(*events: Any, end: bytes = b"data: [DONE]\n\n") -> WireResponse:
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return WireResponse(200, {"content-type": "text/event-stream"}, b": ping\r\n\r\n" + body + end)


def test_a_stream_with_progress_is_asked_for() -> None:
    """Only so does the engine notice that its caller has gone."""
    request = CompletionRequest("qwen", (Message("user", "Why?"),))

    body = json.loads(EmbeddedChat().encode(request, Endpoint("http://127.0.0.1:1")).body)

    assert body["stream"] is True
    assert body["return_progress"] is True
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(("asked", "sent"), [(None, 1024), (7, 7), (4000, 4000)])
def test_nobody_has_it_write_without_end(asked: int | None, sent: int) -> None:
    """A small model in a loop writes until its window is full, where the caller sets no limit."""
    request = CompletionRequest("qwen", (Message("user", "Why?"),), max_tokens=asked)

    body = json.loads(EmbeddedChat().encode(request, Endpoint("http://127.0.0.1:1")).body)

    assert body["max_tokens"] == sent


def test_its_pieces_are_one_answer() -> None:
    """Progress, comments and the end mark are skipped; text, finish and usage are read."""
    stream = _stream(_PROGRESS, _piece("The disk"), _piece(" is full."), _piece("", "stop"), _USAGE)

    assert EmbeddedChat().decode(stream) == Completion(
        "The disk is full.", finish_reason="stop", usage=Usage(9, 2), model="qwen"
    )


def test_a_stream_without_its_finish_was_cut() -> None:
    """Half an answer is not passed off as one."""
    with pytest.raises(ProviderConnectionError, match="cut"):
        EmbeddedChat().decode(_stream(_piece("The disk"), end=b""))


def test_an_error_inside_the_stream_is_an_error() -> None:
    """What the engine says in an event of a 200 is read as the failure it is."""
    error = {"error": {"code": 500, "message": "out of memory", "type": "server_error"}}

    with pytest.raises(ProviderError, match="out of memory"):
        EmbeddedChat().decode(_stream(_piece("The"), error))


@pytest.mark.parametrize("body", [b"data: {\n\n", b"data: []\n\n", b"data: null\n\n"])
def test_an_event_that_is_none_is_malformed(body: bytes) -> None:
    """Whatever stands in an event is read or refused, never a crash."""
    response = WireResponse(200, {"content-type": "text/event-stream"}, body)

    with pytest.raises(ProviderProtocolError):
        EmbeddedChat().decode(response)


@pytest.mark.parametrize("rest", [b"data: {", b'data: {"choices":[{"delta":{"content":" is'])
def test_half_an_event_means_that_the_stream_was_cut(rest: bytes) -> None:
    """A connection that broke is told as one, not as an answer that is none."""
    with pytest.raises(ProviderConnectionError, match="cut"):
        EmbeddedChat().decode(_stream(_piece("The disk"), end=rest))


def test_a_stream_is_asked_for_once() -> None:
    """Whether the caller wants pieces or the whole, the same is asked."""
    request = CompletionRequest("qwen", (Message("user", "Why?"),))
    endpoint = Endpoint("http://127.0.0.1:1")

    streamed = EmbeddedChat().encode(replace(request, stream=True), endpoint)

    assert streamed == EmbeddedChat().encode(request, endpoint)


def test_an_answer_in_one_piece_is_read() -> None:
    """A server that answers in one piece all the same has answered."""
    message = {"role": "assistant", "content": "The disk is full."}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()

    answer = EmbeddedChat().decode(WireResponse(200, {"content-type": "application/json"}, body))

    assert answer == Completion("The disk is full.")


def test_an_empty_stream_was_cut() -> None:
    """Nothing at all is no answer."""
    with pytest.raises(ProviderConnectionError):
        EmbeddedChat().decode(WireResponse(200, {"content-type": "text/event-stream"}, b""))
