"""An end that the vendor itself calls a failure is one; one that was cut is not made whole."""

import json
from typing import Any

import pytest

from faultmaven.errors import ProviderOverloadedError
from faultmaven.infrastructure.llm.wire.answer import Assembly, finished
from faultmaven.infrastructure.llm.wire.types import Codec, Completion, WireEvent, WireResponse
from faultmaven.models.prompt import ToolCall
from faultmaven.models.stream import Delta, ToolCallPiece
from wire.codecs import CODECS

_SAID = "The disk is"


def _gemini(word: str) -> dict[str, Any]:
    parts = {"parts": [{"text": _SAID}]}
    return {"candidates": [{"content": parts, "finishReason": word}]}


def _ollama(word: str) -> dict[str, Any]:
    return {"message": {"content": _SAID}, "done": True, "done_reason": word}


def _openai(word: str, place: str) -> dict[str, Any]:
    return {"choices": [{place: {"content": _SAID}, "finish_reason": word}]}


def _cohere(word: str) -> dict[str, Any]:
    return {"message": {"content": [{"text": _SAID}]}, "finish_reason": word}


def _cohere_events(word: str) -> list[dict[str, Any]]:
    said = {"message": {"content": {"text": _SAID}}}
    return [
        {"type": "content-delta", "delta": said},
        {"type": "message-end", "delta": {"finish_reason": word}},
    ]


_WHOLE = [
    *(("gemini", _gemini(word)) for word in ("OTHER", "MALFORMED_RESPONSE", "NO_IMAGE")),
    ("gemini", _gemini("MALFORMED_FUNCTION_CALL")),
    *(("ollama", _ollama(word)) for word in ("load", "unload")),
    *(("cohere_chat", _cohere(word)) for word in ("ERROR", "TIMEOUT")),
    ("openai", _openai("abort", "message")),
    ("openai", _openai("insufficient_system_resource", "message")),
]
_STREAMED = [
    *((codec, [body]) for codec, body in _WHOLE if codec in ("gemini", "ollama")),
    *(("cohere_chat", _cohere_events(word)) for word in ("ERROR", "TIMEOUT")),
    ("openai", [_openai("abort", "delta")]),
    ("openai", [_openai("insufficient_system_resource", "delta")]),
]


@pytest.mark.parametrize(("codec", "body"), _WHOLE)
def test_failure_behind_text_is_a_failure(codec: str, body: dict[str, Any]) -> None:
    """What a vendor wrote before it failed is no answer: the chain goes on."""
    with pytest.raises(ProviderOverloadedError, match="broke off"):
        CODECS[codec].decode(WireResponse(200, {}, json.dumps(body).encode()))


@pytest.mark.parametrize(("codec", "events"), _STREAMED)
def test_failure_behind_streamed_text_is_a_failure(
    codec: str, events: list[dict[str, Any]]
) -> None:
    """A stream that ends with the vendor's own failure is never passed off as whole."""
    assembly = _assembled(CODECS[codec], events)

    with pytest.raises(ProviderOverloadedError, match="broke off"):
        assembly.completion()


def _assembled(codec: Codec, events: list[dict[str, Any]]) -> Assembly:
    reader, assembly = codec.reader(), Assembly()
    for event in events:
        for delta in reader.read(WireEvent(json.dumps(event).encode())):
            assembly.add(delta)
    return assembly


@pytest.mark.parametrize(("reason", "arguments"), [("length", ""), ("tool_calls", "{}")])
def test_arguments_that_were_cut_are_not_made_up(reason: str, arguments: str) -> None:
    """A call without arguments has none; one that was cut before them has not said so."""
    call = ToolCall("c", "df", "")

    (found,) = finished(Completion("", finish_reason=reason, tool_calls=(call,))).tool_calls

    assert found.arguments == arguments


@pytest.mark.parametrize(("reason", "arguments"), [("max_tokens", [""]), ("tool_use", ["", "{}"])])
def test_anthropics_cut_call_is_heard_without_arguments(reason: str, arguments: list[str]) -> None:
    """Of a call whose block ends empty, only the message's end tells whether it was cut."""
    reader = CODECS["anthropic"].reader()
    block = {"type": "tool_use", "id": "t", "name": "df", "input": {}}
    events = [
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}},
    ]

    deltas = [
        delta for event in events for delta in reader.read(WireEvent(json.dumps(event).encode()))
    ]

    pieces = [piece for delta in deltas for piece in delta.tool_calls]
    assert [piece.arguments for piece in pieces] == arguments
    assert {piece.index for piece in pieces} == {0}


def test_anthropics_call_is_whole_once_another_begins() -> None:
    """The arguments of a call that has none come before the next call, in order."""
    reader = CODECS["anthropic"].reader()
    events = [
        {"type": kind, "index": index, "content_block": {"type": "tool_use", "id": f"t{index}"}}
        for index in (0, 1)
        for kind in ("content_block_start", "content_block_stop")
    ]

    deltas = [
        delta for event in events for delta in reader.read(WireEvent(json.dumps(event).encode()))
    ]

    assert [delta.tool_calls for delta in deltas] == [
        (ToolCallPiece(0, "t0"),),
        (ToolCallPiece(0, arguments="{}"),),
        (ToolCallPiece(1, "t1"),),
    ]


def test_text_of_a_stream_is_the_text_that_was_heard() -> None:
    """Thoughts that only a closing tag betrays were passed on as text, so they are the text."""
    assembly = Assembly()
    text = "Hm.\n</think>\nThe disk is full."
    for piece in (text[:6], text[6:]):
        assembly.add(Delta(text=piece))
    assembly.add(Delta(finish_reason="stop"))

    assert assembly.completion().text == text
    assert finished(Completion(text)).text == "The disk is full."
