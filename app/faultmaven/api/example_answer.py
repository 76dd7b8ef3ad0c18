"""One question and its answer, as the documentation of both compatible APIs shows it."""

from __future__ import annotations

from faultmaven.models.attempt import Usage
from faultmaven.models.interfaces import LLMResponse

QUESTION = "write: no space left on device. What is wrong?"

ANSWER = LLMResponse(
    content="The disk is full.",
    confidence=0.87,
    provider="openai",
    model="gpt-4o",
    tokens_used=26,
    response_time_ms=840,
    usage=Usage(prompt=20, completion=6),
)
