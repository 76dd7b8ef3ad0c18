"""What is asked and answered: the same words for every gateway."""

from __future__ import annotations

import json
from typing import Any

MODEL = "gpt-4o"
"""The model that is asked for."""

KEY = "sk-bench-0123456789abcdefghijklmnopqrstuvwxyz"
"""A key of the upstream; it is asked for none."""

FIRST = "firsttoken"
"""A word that only the first token of an answer holds."""

LAST = "lasttoken"
"""A word that only the end of an answer holds."""

QUOTE = "No space left on device"
"""Words of the log in question, which the structured result quotes."""

CHUNKS = 30
"""Tokens of a streamed answer."""

CHUNK_SECONDS = 0.002
"""Between two tokens: shorter than models are, so that many streams are busy at once."""

_WORDS = (
    "The log shows that the volume filled up at 03:12 because rotation had stopped. "
    "Until then journald kept two gigabytes free; afterwards every write to /var/log failed with "
    "ENOSPC, which the kubelet reported as disk pressure and answered by evicting pods. "
    "Free some space first: compress yesterday's files, or delete what has been shipped already. "
    "Then start logrotate by hand, watch df for ten minutes, and let the scheduler place the "
    "workloads again. To keep it from coming back, rotate by size as well as by day, alert at "
    "eighty per cent, and move container images to a partition of their own: they need not starve "
    "with the logs. "
)  # prose, as models write it: what repeats itself is looked at more closely


def answer() -> bytes:
    """A chat completion of about one kilobyte."""
    return _completion(f"{FIRST} {_WORDS}{LAST}")


def diagnosis() -> bytes:
    """A chat completion that holds the structured result of a troubleshooting question."""
    finding = {"type": "disk", "message": "The root volume has no space left.", "severity": "high"}
    said = {
        "evidence": [QUOTE],
        "summary": f"{FIRST} The disk of node-1 is full.",
        "root_cause": "The volume filled up at 03:12 because rotation had stopped.",
        "status": "completed",
        "findings": [{**finding, "evidence": QUOTE}],
        "next_steps": [f"Free space, then let the log rotate again. {LAST}"],
        "commands": [{"command": "df -h", "description": "Shows it.", "safety": "read_only"}],
        "recommendations": ["Rotate by size, too."],
        "missing_information": [],
    }
    return _completion(json.dumps(said))


def embedding() -> bytes:
    """An embedding of 256 numbers."""
    numbers = [round(0.001 * number - 0.128, 3) for number in range(256)]
    return _written(
        {
            "object": "list",
            "model": MODEL,
            "data": [{"object": "embedding", "index": 0, "embedding": numbers}],
            "usage": {"prompt_tokens": 9, "total_tokens": 9},
        }
    )


def events() -> list[bytes]:
    """The events of a streamed answer, in order: role, tokens, end."""
    words = [FIRST, *(f" token{number}" for number in range(CHUNKS - 2)), f" {LAST}"]
    deltas: list[tuple[dict[str, str], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        *(({"content": word}, None) for word in words),
        ({}, "stop"),
    ]
    return [*(_event(delta, reason) for delta, reason in deltas), b"data: [DONE]\n\n"]


def chat(question: str, *, stream: bool = False, model: str = MODEL) -> dict[str, Any]:
    """A request for a chat completion."""
    turns = [
        {"role": "system", "content": "You are an operator's assistant. Answer briefly."},
        {"role": "user", "content": question},
    ]
    return {"model": model, "messages": turns, "temperature": 0.2, "stream": stream}


def _completion(content: str) -> bytes:
    message = {"role": "assistant", "content": content}
    return _written(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 32, "completion_tokens": 128, "total_tokens": 160},
        }
    )


def _event(delta: dict[str, str], reason: str | None) -> bytes:
    return b"data: %b\n\n" % _written(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": MODEL,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }
    )


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
