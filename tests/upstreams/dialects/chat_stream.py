"""What OpenAI-shaped streams are made of: deltas, tool calls in pieces, token probabilities."""

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from upstreams.dialects.answer import Answer, Call, Finish, as_json, as_pieces, cut
from upstreams.dialects.stream import Stage

DONE = "[DONE]"
"""The end mark."""

REFUSAL = "I'm sorry, but I cannot help with that request."


class UsageAt(Enum):
    """Where a stream has its token counts."""

    ASKED = "asked"
    """In a chunk of their own, if `stream_options.include_usage` asked for it."""
    ALWAYS = "always"
    """In a chunk of their own."""
    FINISH = "finish"
    """In the chunk with the finish reason."""


def deltas(
    answer: Answer, text: str, *, calls: Sequence[Mapping[str, Any]], reasoning_field: str | None
) -> Iterator[tuple[Stage, dict[str, Any]]]:
    """Give the deltas of one choice, from the role to the last piece."""
    yield Stage.START, {"role": "assistant", "content": ""}
    if reasoning_field:
        for piece in cut(answer.thinking or ""):
            yield Stage.THINKING, {reasoning_field: piece}
    for piece in as_pieces(answer, text):
        yield Stage.CONTENT, {"content": piece}
    if answer.end is Finish.REFUSAL:
        yield Stage.FINISH, {"refusal": REFUSAL}
    for place, call in enumerate(calls):
        for delta in _call_deltas(place, call):
            yield Stage.CONTENT, {"tool_calls": [delta]}


def _call_deltas(place: int, call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    function = call["function"]
    yield {**call, "index": place, "function": function | {"arguments": ""}}
    for piece in cut(function["arguments"], most=3):
        yield {"index": place, "function": {"arguments": piece}}


def tool_call(call: Call, *, spare_id: str) -> dict[str, Any]:
    """Write one tool call; the spare ID is for a call without one."""
    function = {"name": call.name, "arguments": as_json(call.arguments)}
    return {"id": call.id or spare_id, "type": "function", "function": function}


def probabilities(pieces: Sequence[str], *, top: int) -> dict[str, Any]:
    """Write the log probabilities of tokens, with so many alternatives for each."""
    return {"content": [_token(piece, top) for piece in pieces], "refusal": None}


def _token(piece: str, top: int) -> dict[str, Any]:
    others = [_probable(f"{piece}{place or ''}", 0.5 / (place + 1)) for place in range(top)]
    return {**_probable(piece, 0.5), "top_logprobs": others}


def _probable(token: str, chance: float) -> dict[str, Any]:
    return {"token": token, "logprob": math.log(chance), "bytes": list(token.encode())}
