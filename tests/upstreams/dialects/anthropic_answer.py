"""Anthropic's message: its blocks, its counts, and its events."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from upstreams.dialects.answer import Answer, Finish, Tokens, as_json, cut, made_up_id
from upstreams.dialects.signatures import sign
from upstreams.dialects.stream import Event, Stage
from upstreams.messages import Request

VENDOR = "anthropic"
"""Who signs the thoughts."""

STOP_REASONS: Mapping[Finish, str] = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.FILTER: "refusal",
    Finish.REFUSAL: "refusal",
    Finish.TOOL: "tool_use",
}

PING = Event(Stage.START, {"type": "ping"}, name="ping")


def blocks(request: Request, answer: Answer, text: str) -> list[dict[str, Any]]:
    """Write the content: signed thoughts, text, tools to use."""
    written: list[dict[str, Any]] = []
    if answer.thinking:
        signature = sign(VENDOR, answer.thinking)
        thought = {"type": "thinking", "thinking": answer.thinking, "signature": signature}
        written.append(thought)
    if not answer.silent:
        middle = len(text) // 2 if answer.parts else len(text)
        pieces = [piece for piece in (text[:middle], text[middle:]) if piece] or [""]
        written += [{"type": "text", "text": piece} for piece in pieces]
    for place, call in enumerate(answer.calls):
        made_up = f"toolu_{made_up_id(request.body, place)}"
        use = {"type": "tool_use", "id": call.id or made_up, "name": call.name}
        written.append(use | {"input": dict(call.arguments)})
    return written


def usage(tokens: Tokens) -> dict[str, Any]:
    """Write the token counts."""
    return {
        "input_tokens": tokens.prompt,
        "output_tokens": tokens.completion,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens_details": {"thinking_tokens": tokens.thinking},
    }


def told(whole: Mapping[str, Any], pieces: Sequence[str] | None) -> Iterator[Event]:
    """Tell a message in events; the pieces are those of its text, if it is one block."""
    counts = whole.get("usage")
    begun = {**whole, "content": [], "stop_reason": None}
    if counts:
        begun["usage"] = counts | {"output_tokens": 1}
    yield _event(Stage.START, "message_start", message=begun)
    for index, block in enumerate(whole["content"]):
        yield from _told_block(index, block, pieces)
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    end: dict[str, Any] = {"delta": delta} | ({"usage": counts} if counts else {})
    yield _event(Stage.FINISH, "message_delta", **end)
    yield _event(Stage.END, "message_stop")


def _told_block(
    index: int, block: Mapping[str, Any], pieces: Sequence[str] | None
) -> Iterator[Event]:
    begun = {name: _BEGINS.get(name, value) for name, value in block.items()}
    yield _event(Stage.START, "content_block_start", index=index, content_block=begun)
    if index == 0:
        yield PING
    stage = Stage.THINKING if block["type"] == "thinking" else Stage.CONTENT
    for delta in _deltas(block, pieces):
        yield _event(stage, "content_block_delta", index=index, delta=delta)
    yield _event(Stage.THINKING, "content_block_stop", index=index)


_BEGINS: Mapping[str, Any] = {"thinking": "", "signature": "", "text": "", "input": {}}
"""What a block's fields are before its first delta."""


def _deltas(block: Mapping[str, Any], pieces: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "thinking":
            for piece in cut(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            for piece in ("", *cut(as_json(block["input"]), most=3)):
                yield {"type": "input_json_delta", "partial_json": piece}
        case _:
            for piece in cut(block["text"]) if pieces is None else pieces:
                yield {"type": "text_delta", "text": piece}


def _event(stage: Stage, kind: str, **data: Any) -> Event:
    return Event(stage, {"type": kind, **data}, name=kind)
