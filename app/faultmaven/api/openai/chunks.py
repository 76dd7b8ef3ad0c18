"""The chunks of a streamed answer, as bytes (pure).

https://platform.openai.com/docs/api-reference/chat-streaming. What is the same in every chunk is
encoded once: there is one chunk per token, and most of them hold nothing but a piece of text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from faultmaven.api.openai.answer import (
    Envelope,
    logprobs_body,
    signature_body,
    thinking_body,
    usage_body,
)
from faultmaven.models.attempt import Usage
from faultmaven.models.json_text import ascii_json
from faultmaven.models.stream import Delta, ToolCallPiece

DONE = b"data: [DONE]\n\n"
"""The mark of success."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# JSON lets them stand for themselves; readers that split lines as Unicode has it break there.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_LINE_END = re.compile("[\x85\u2028\u2029]")


class Chunks:
    """Writes the chunks of one answer.

    Args:
        envelope: what they have in common.
        model: who answers.
        with_usage: whether the caller asked for the usage.
    """

    def __init__(self, envelope: Envelope, model: str, *, with_usage: bool) -> None:
        self._old_words = envelope.old_words
        shared = {
            "id": envelope.id,
            "object": "chat.completion.chunk",
            "created": envelope.created,
            "model": model,
            "system_fingerprint": None,
        }
        self._head = f"data: {_encode(shared)[:-1]}"
        self._before = f'{self._head},"choices":[{{"index":0,"delta":'
        self._tail = ',"usage":null}\n\n' if with_usage else "}\n\n"
        self._after = f',"logprobs":null,"finish_reason":null}}]{self._tail}'
        self._before_text = _bytes(f'{self._before}{{"content":')
        self._after_text = _bytes(f"}}{self._after}")

    def first(self, *, silent: bool) -> bytes:
        """Who speaks; ``silent`` where a call of a tool comes first."""
        content = None if silent else ""
        return self._chunk({"role": "assistant", "content": content, "refusal": None})

    def text(self, text: str) -> bytes:
        """A piece of text and nothing else."""
        written = ascii_json(text) if text.isascii() else _bytes(_encode(text))
        return self._before_text + written + self._after_text

    def piece(self, delta: Delta) -> bytes:
        """A piece of any kind."""
        choice = {
            "index": 0,
            "delta": self._delta(delta),
            "logprobs": logprobs_body(delta.logprobs),
            "finish_reason": None,
        }
        return self._choice(choice)

    def last(self, finish_reason: str) -> bytes:
        """Why the model stopped."""
        return self._choice(
            {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_reason}
        )

    def usage(self, usage: Usage) -> bytes:
        """What was spent, in a chunk of its own."""
        return _bytes(f'{self._head},"choices":[],"usage":{_encode(usage_body(usage))}}}\n\n')

    def _chunk(self, delta: Mapping[str, Any]) -> bytes:
        return _bytes(f"{self._before}{_encode(delta)}{self._after}")

    def _choice(self, choice: Mapping[str, Any]) -> bytes:
        return _bytes(f'{self._head},"choices":[{_encode(choice)}]{self._tail}')

    def _delta(self, delta: Delta) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if delta.reasoning:
            fields["reasoning_content"] = delta.reasoning
        if delta.thought is not None:
            fields["thinking_blocks"] = [thinking_body(delta.thought)]
        if delta.text:
            fields["content"] = delta.text
        return fields | self._calls(delta.tool_calls)

    def _calls(self, pieces: tuple[ToolCallPiece, ...]) -> dict[str, Any]:
        if self._old_words:
            called = next((_function(piece) for piece in pieces if piece.index == 0), None)
            return {"function_call": called} if called else {}
        return {"tool_calls": [_call(piece) for piece in pieces]} if pieces else {}


def error_event(body: Mapping[str, Any]) -> bytes:
    """An error after the head has left."""
    return _bytes(f"data: {_encode(body)}\n\n")


def _call(piece: ToolCallPiece) -> dict[str, Any]:
    """A part of a call; only the first has id and type."""
    opening = {"id": piece.id, "type": "function"} if piece.id else {}
    return {
        "index": piece.index,
        **opening,
        "function": _function(piece),
        **signature_body(piece.signature),
    }


def _function(piece: ToolCallPiece) -> dict[str, str]:
    named = {"name": piece.name} if piece.name else {}
    return {**named, "arguments": piece.arguments}


def _bytes(text: str) -> bytes:
    if text.isascii():
        return text.encode()
    if _LINE_END.search(text):
        text = text.translate(_LINE_ENDS)
    return text.encode("utf-8", "replace")
