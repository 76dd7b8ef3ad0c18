"""What a healthy provider says in each wire format, whole and as a stream (pure).

A format is recognised by the path that is asked, so a stand-in needs to know no vendor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

ANSWER = ("The disk of node-1 is full: ", "remove what is old ", "and watch it.")
"""The pieces of the one answer that every stand-in gives."""

_TEXT = "".join(ANSWER)
_MODEL = "stand-in"
_SSE = "text/event-stream"
_JSON_LINES = "application/stream+json"


@dataclass(frozen=True, slots=True)
class Form:
    """The good answer in one wire format.

    Attributes:
        whole: the body of a plain answer.
        head: what a stream says before the first piece of the answer.
        pieces: the answer, piece by piece.
        tail: what ends the stream.
        stream_type: media type of the stream.
    """

    whole: bytes
    head: bytes
    pieces: tuple[bytes, ...]
    tail: bytes
    stream_type: str = _SSE


def form_of(path: str) -> Form:
    """The format that is spoken at ``path``, the query left out.

    Hugging Face's older endpoints have the model's name for a path, so theirs is every other one.
    """
    found = next((make for end, make in _FORMS if path.endswith(end)), _tgi)
    return found()


def asks_for_stream(path: str, body: bytes) -> bool:
    """Whether a request wants a stream: by its path, or by a field of its body."""
    if path.endswith((":streamGenerateContent", "/generate_stream")):
        return True
    try:
        asked = json.loads(body)
    except ValueError:
        return False
    return isinstance(asked, dict) and asked.get("stream") is True


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _events(*values: Any) -> bytes:
    return b"".join(b"data: " + _json(value) + b"\n\n" for value in values)


def _named(*values: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + value["type"].encode() + b"\n" + _events(value) for value in values
    )


def _lines(*values: Any) -> bytes:
    return b"".join(_json(value) + b"\n" for value in values)


def _each(write: Callable[[Any], bytes], shape: Callable[[str], Any]) -> tuple[bytes, ...]:
    return tuple(write(shape(piece)) for piece in ANSWER)


def _openai() -> Form:
    about = {"id": "chatcmpl-1", "created": 0, "model": _MODEL}
    usage = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    message = {"role": "assistant", "content": _TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}

    def chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return {**about, "object": "chat.completion.chunk", "choices": choices}

    return Form(
        whole=_json({**about, "object": "chat.completion", "choices": [choice], "usage": usage}),
        head=_events(chunk({"role": "assistant", "content": ""})),
        pieces=_each(_events, lambda piece: chunk({"content": piece})),
        tail=_events(chunk({}, "stop")) + b"data: [DONE]\n\n",
    )


def _anthropic() -> Form:
    usage = {"input_tokens": 9, "output_tokens": 12}
    about = {"id": "msg_1", "type": "message", "role": "assistant", "model": _MODEL}
    opened: dict[str, Any] = {
        **about,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    block = {"type": "text", "text": ""}
    stopped = {"stop_reason": "end_turn", "stop_sequence": None}
    return Form(
        whole=_json({**opened, **stopped, "content": [{"type": "text", "text": _TEXT}]}),
        head=_named(
            {"type": "message_start", "message": opened},
            {"type": "content_block_start", "index": 0, "content_block": block},
        ),
        pieces=_each(_named, _anthropic_piece),
        tail=_named(
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": stopped, "usage": usage},
            {"type": "message_stop"},
        ),
    )


def _anthropic_piece(piece: str) -> dict[str, Any]:
    delta = {"type": "text_delta", "text": piece}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def _gemini() -> Form:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 12, "totalTokenCount": 21}

    def answer(text: str, **more: str) -> dict[str, Any]:
        content = {"role": "model", "parts": [{"text": text}]}
        candidate = {"content": content, "index": 0, **more}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": _MODEL}

    return Form(
        whole=_json(answer(_TEXT, finishReason="STOP")),
        head=b": connected\n\n",
        pieces=_each(_events, answer),
        tail=_events(answer("", finishReason="STOP")),
    )


def _cohere_chat() -> Form:
    usage = {"tokens": {"input_tokens": 9, "output_tokens": 12}}
    message = {"role": "assistant", "content": [{"type": "text", "text": _TEXT}]}
    ending = {"finish_reason": "COMPLETE", "usage": usage}

    def content(kind: str, text: str) -> dict[str, Any]:
        part = {"message": {"content": {"type": "text", "text": text}}}
        return {"type": kind, "index": 0, "delta": part}

    return Form(
        whole=_json({"id": "c-1", "message": message, **ending}),
        head=_named({"type": "message-start", "id": "c-1"}, content("content-start", "")),
        pieces=_each(_named, lambda piece: content("content-delta", piece)),
        tail=_named({"type": "content-end", "index": 0}, {"type": "message-end", "delta": ending}),
    )


def _cohere_generate() -> Form:
    generation = {"id": "g-1", "text": _TEXT, "finish_reason": "COMPLETE"}
    meta = {"billed_units": {"input_tokens": 9, "output_tokens": 12}}
    whole = {"id": "c-1", "generations": [generation], "meta": meta}
    end = {"event_type": "stream-end", "is_finished": True, "response": whole}
    return Form(
        whole=_json(whole),
        head=b"",
        pieces=_each(_lines, lambda piece: {"event_type": "text-generation", "text": piece}),
        tail=_lines({**end, "finish_reason": "COMPLETE"}),
        stream_type=_JSON_LINES,
    )


def _ollama() -> Form:
    def line(text: str, **more: Any) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {"model": _MODEL, "message": message, "done": False, **more}

    end = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 12}
    return Form(
        whole=_json(line(_TEXT, **end)),
        head=b"",
        pieces=_each(_lines, line),
        tail=_lines(line("", **end)),
        stream_type=_JSON_LINES,
    )


def _tgi() -> Form:
    details = {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None}
    end = {"token": {"id": 0, "text": "", "logprob": 0.0, "special": True}}

    def token(text: str) -> dict[str, Any]:
        return {"token": {"id": 1, "text": text, "logprob": -0.1, "special": False}}

    return Form(
        whole=_json([{"generated_text": _TEXT, "details": details}]),
        head=b": connected\n\n",
        pieces=_each(_events, token),
        tail=_events({**end, "generated_text": _TEXT, "details": details}),
    )


_FORMS: Sequence[tuple[str, Callable[[], Form]]] = (
    ("/chat/completions", _openai),
    ("/messages", _anthropic),
    (":generateContent", _gemini),
    (":streamGenerateContent", _gemini),
    ("/v2/chat", _cohere_chat),
    ("/v1/generate", _cohere_generate),
    ("/api/chat", _ollama),
)
