"""Cohere's chat as a stream of named events."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from upstreams.dialects.answer import cut
from upstreams.dialects.stream import Event, Stage


def told(whole: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[Event]:
    """Tell a chat answer, its text in these pieces.

    Source: the event types of `V2ChatStreamResponse` in Cohere's SDK.
    """
    message = whole["message"]
    empty: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    start = {"id": whole["id"], "delta": {"message": empty | {"citations": []}}}
    yield _event(Stage.START, "message-start", start)
    thinking = [item["thinking"] for item in message["content"] if item["type"] == "thinking"]
    index = 0
    for thought in thinking:
        yield from _block("thinking", cut(thought), index=index, stage=Stage.THINKING)
        index += 1
    if len(message["content"]) > len(thinking):
        yield from _block("text", pieces, index=index, stage=Stage.CONTENT)
    for place, call in enumerate(message.get("tool_calls", ())):
        yield from _call(place, call)
    end = {"finish_reason": whole["finish_reason"]}
    usage = {"usage": whole["usage"]} if "usage" in whole else {}
    yield _event(Stage.FINISH, "message-end", {"id": whole["id"], "delta": end | usage})


def failed(message: str) -> Event:
    """End a stream with an error."""
    delta = {"error": message, "finish_reason": "ERROR"}
    return _event(Stage.FINISH, "message-end", {"delta": delta})


def _block(kind: str, pieces: Sequence[str], *, index: int, stage: Stage) -> Iterator[Event]:
    start = _content(index, {"type": kind, kind: ""})
    yield _event(Stage.START, "content-start", start)
    for piece in pieces:
        yield _event(stage, "content-delta", _content(index, {kind: piece}))
    yield _event(Stage.THINKING, "content-end", {"index": index})


def _content(index: int, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"index": index, "delta": {"message": {"content": content}}}


def _call(place: int, call: Mapping[str, Any]) -> Iterator[Event]:
    function = call["function"]
    begun = {**call, "function": function | {"arguments": ""}}
    yield _event(Stage.CONTENT, "tool-call-start", _calls(place, begun))
    for piece in cut(function["arguments"], most=3):
        delta = _calls(place, {"function": {"arguments": piece}})
        yield _event(Stage.CONTENT, "tool-call-delta", delta)
    yield _event(Stage.CONTENT, "tool-call-end", {"index": place})


def _calls(place: int, call: Mapping[str, Any]) -> dict[str, Any]:
    return {"index": place, "delta": {"message": {"tool_calls": call}}}


def _event(stage: Stage, kind: str, data: Mapping[str, Any]) -> Event:
    return Event(stage, {"type": kind, **data}, name=kind)
