"""An `ILLMProvider` that answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from faultmaven.models.attempt import Usage
from faultmaven.models.interfaces import GenerateOptions, ILLMProvider, LLMResponse


class Answering(ILLMProvider):
    """Answers each call with the next reply, and the last one for ever.

    A reply that is an exception is raised; one that is an `LLMResponse` is returned as it is.
    """

    def __init__(
        self, *replies: str | Exception | LLMResponse, confidence: float = 0.9, hangs: bool = False
    ) -> None:
        self._replies = replies or ("It is full.",)
        self._confidence = confidence
        self._hangs = hangs
        self.prompts: list[str] = []
        self.options: list[GenerateOptions] = []

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Remember, then do as told."""
        self.prompts.append(prompt)
        self.options.append(GenerateOptions(**kwargs))  # type: ignore[typeddict-item] # as called
        if self._hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        reply = self._replies[min(len(self.prompts), len(self._replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return self._response(reply) if isinstance(reply, str) else reply

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True

    def get_supported_models(self) -> list[str]:
        """List its one model."""
        return ["model-1"]

    def _response(self, text: str) -> LLMResponse:
        return LLMResponse(
            content=text,
            confidence=self._confidence,
            provider="answering",
            model="model-1",
            tokens_used=7,
            response_time_ms=5,
            usage=Usage(3, 4),
            cost_usd=0.01,
        )


class RedactingChain(Answering):
    """The same, saying that it masks secrets by itself, as the chain does."""

    redacts_by_target: ClassVar[bool] = True
