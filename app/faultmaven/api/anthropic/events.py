"""The events of Anthropic's streams, as bytes (pure).

https://platform.claude.com/docs/en/build-with-claude/streaming. Most events are pieces of text:
what is the same in all of them is written once.
"""

from __future__ import annotations

import json
from typing import Any

from faultmaven.api.anthropic.answer import Fields, opening, stop_reason, usage
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.json_text import ascii_json

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # made once: a stream has many pieces

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_BLOCK_START = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,'
    b'"content_block":%b}\n\n'
)
_BLOCK_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%%d,'
    b'"delta":{"type":"%b","%b":%%b}}\n\n'
)

TEXT = _DELTA % (b"text_delta", b"text")
THINKING = _DELTA % (b"thinking_delta", b"thinking")
SIGNATURE = _DELTA % (b"signature_delta", b"signature")
ARGUMENTS = _DELTA % (b"input_json_delta", b"partial_json")
"""Templates of pieces: to be filled with a block's index and a JSON string."""


def message_start(model: str, message_id: str) -> bytes:
    """The beginning; how many tokens were read is told at the end."""
    return _event("message_start", {"message": opening(model, message_id)}) + _PING


def message_end(answer: LLMResponse) -> bytes:
    """Why the model stopped and what it took, and that this was all."""
    delta = {"stop_reason": stop_reason(answer), "stop_sequence": None}
    fields = {"delta": delta, "usage": usage(answer.usage)}
    return _event("message_delta", fields) + STOP


def block_start(index: int, block: Fields) -> bytes:
    """A block begins."""
    return _BLOCK_START % (index, encoded(block))


def piece(template: bytes, index: int, text: str) -> bytes:
    """The next part of a block."""
    return template % (index, ascii_json(text) if text.isascii() else encoded(text))


def block_stop(index: int) -> bytes:
    """A block is whole."""
    return _BLOCK_STOP % index


def encoded(value: Any) -> bytes:
    """JSON in ASCII: readers that cut lines at any Unicode line break then find none."""
    return _ENCODE(value).encode()


def _event(name: str, fields: Fields) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encoded({"type": name, **fields}))
