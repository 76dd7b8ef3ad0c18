"""A `Transport` without a network: every vendor answers at once, and always the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from faultmaven.infrastructure.llm.transport import WireStream
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse

ANSWER = """## Summary
The pod is killed because it uses more memory than its limit.

## Root cause
The heap may grow to 1 GiB in a container that is limited to 512Mi.

## Evidence
- "exit code 137"

## Next steps
1. Lower `-Xmx` or raise the limit.
"""


class InstantUpstream:
    """OpenAI's chat completions, as fast as nothing.

    It lets go of the event loop wherever a network would: before the head of an answer, and
    before each piece of a stream.

    Args:
        pieces: how many pieces of text a stream has.
    """

    def __init__(self, pieces: int = 0) -> None:
        self._stream = _stream(pieces)

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ARG002, ASYNC109 - as the seam has it
        """Answer whole."""
        await asyncio.sleep(0)
        return WireResponse(200, {"content-type": "application/json"}, _WHOLE)

    @asynccontextmanager
    async def stream(self, request: WireRequest) -> AsyncIterator[WireStream]:  # noqa: ARG002 - the seam's
        """Answer piece by piece."""
        await asyncio.sleep(0)
        yield WireStream(200, {"content-type": "text/event-stream"}, self._events())

    async def aclose(self) -> None:
        """Nothing was opened."""

    async def _events(self) -> AsyncGenerator[bytes, None]:
        for event in self._stream:
            await asyncio.sleep(0)
            yield event


def _stream(pieces: int) -> list[bytes]:
    texts = ({"content": f" word{number:03}"} for number in range(pieces))
    deltas = ({"role": "assistant", "content": ""}, *texts)
    events = [*map(_piece, deltas), _piece({}, finish_reason="stop"), {**_CHUNK, "usage": _USAGE}]
    return [*(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events), _DONE]


def _piece(delta: Mapping[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {**_CHUNK, "choices": [choice]}


_DONE = b"data: [DONE]\n\n"
_USAGE = {"prompt_tokens": 30, "completion_tokens": 120, "total_tokens": 150}
_CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o",
    "system_fingerprint": "fp_1",
    "choices": [],
}
_WHOLE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": _USAGE,
    }
).encode()
