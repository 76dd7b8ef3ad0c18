"""An `ILLMProvider` that plays an answer piece by piece, and Anthropic's protocol around it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from faultmaven.errors import FaultMavenError
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.interfaces import GenerateOptions, ILLMProvider, LLMResponse
from faultmaven.models.stream import Beginning, Delta

ANSWER = LLMResponse(
    content="The disk is full.",
    confidence=0.87,
    provider="one",
    model="model-1",
    tokens_used=17,
    response_time_ms=5,
    usage=Usage(prompt=12, completion=5, cached=2),
)
"""What is answered where a test says nothing else."""

ASKED: dict[str, Any] = {
    "model": "auto",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "What is wrong?"}],
}
"""The smallest request of Anthropic's protocol."""

MESSAGES = "/v1/messages"


class Playing(ILLMProvider):
    """Tells a listener the pieces, then answers, or fails, or waits for ever."""

    def __init__(
        self,
        *deltas: Delta,
        answer: LLMResponse = ANSWER,
        attempts: Sequence[Attempt] = (),
        first_token_ms: float = 0.0,
        failure: FaultMavenError | None = None,
    ) -> None:
        self._deltas = deltas
        self._answer = replace(answer, attempts=(*attempts, *answer.attempts))
        self._beginning = Beginning(
            answer.provider, answer.model, tuple(attempts), answer.ignored, first_token_ms
        )
        self._failure = failure
        self.options: list[GenerateOptions] = []

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Play."""
        self.options.append(GenerateOptions(prompt=prompt, **kwargs))  # type: ignore[typeddict-item] # as called
        listener = kwargs.get("listener")
        if listener and self._deltas:
            await listener.on_begin(self._beginning)
            for delta in self._deltas:
                await listener.on_delta(delta)
        if self._failure:
            raise self._failure
        return self._answer

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """List its one model."""
        return ["model-1"]


def events(body: bytes) -> list[dict[str, Any]]:
    """Read a stream as Anthropic writes it: each event named as its data says."""
    read = []
    for block in body.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        read.append(event)
    return read


def assembled(read: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the blocks of a stream together, holding it to the protocol's order."""
    blocks: list[dict[str, Any]] = []
    arguments = ""
    is_open = False
    for event in read:
        if event["type"] == "content_block_start":
            assert (is_open, event["index"]) == (False, len(blocks))
            blocks.append(dict(event["content_block"]))
            is_open, arguments = True, ""
        elif event["type"] == "content_block_delta":
            assert (is_open, event["index"]) == (True, len(blocks) - 1)
            kind, text = (value for value in event["delta"].values())
            if kind == "input_json_delta":
                arguments += text
            else:
                blocks[-1][kind.removesuffix("_delta")] += text
        elif event["type"] == "content_block_stop":
            assert (is_open, event["index"]) == (True, len(blocks) - 1)
            is_open = False
            if "input" in blocks[-1]:
                blocks[-1]["input"] = json.loads(arguments or "{}")
    assert not is_open
    return blocks
