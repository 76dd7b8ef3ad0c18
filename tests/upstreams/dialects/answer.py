"""What a model says, before a vendor's format is put around it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Finish(StrEnum):
    """Why the model stopped; every dialect has its own words for these."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "content_filter"
    """Cut or withheld by the vendor's policy."""
    REFUSAL = "refusal"
    """The model itself declined."""
    TOOL = "tool_calls"
    """The model asks for a tool instead of answering."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One completion in no vendor's format."""

    text: str | Mapping[str, Any] | None = "The disk is full."
    """A mapping becomes JSON text; None leaves the text out in the vendor's own way."""
    finish: Finish = Finish.STOP
    thinking: str | None = None
    """Reasoning, put where the vendor puts it, never into the text."""
    usage: bool = True
    """Whether token counts are reported."""
    float_counts: bool = False
    """Whether the counts are written as 12.0 instead of 12."""
    parts: bool = False
    """Whether the text comes as a list of parts where the format has both forms."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts of one answer: about four characters each."""

    prompt: int | float
    completion: int | float
    thinking: int | float

    @property
    def total(self) -> int | float:
        """Everything that was counted."""
        return self.prompt + self.completion


def count(prompt: bytes, answer: Answer, text: str) -> Tokens:
    """Count plausibly: the completion includes the thinking."""
    thinking = estimate(answer.thinking or "")
    counts = (estimate(prompt), estimate(text) + thinking, thinking)
    prompt_count, completion, thinking_count = (
        float(item) if answer.float_counts else item for item in counts
    )
    return Tokens(prompt_count, completion, thinking_count)


def estimate(text: str | bytes) -> int:
    """Guess the tokens in a text: a quarter of its length, at least 1 if there is any."""
    return (len(text) + 3) // 4


def as_text(answer: Answer, *, wants_json: bool) -> str:
    """Write the answer's text.

    A mapping is JSON text; without a request for JSON it sits in a fenced block, as models do.
    """
    if isinstance(answer.text, str):
        return answer.text
    if answer.text is None:
        return ""
    body = json.dumps(answer.text, ensure_ascii=False)
    return body if wants_json else f"```json\n{body}\n```"
