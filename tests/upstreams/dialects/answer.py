"""What a model says, before a vendor's format is put around it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Call:
    """One call of a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    """The vendor makes one up where it has any and this is None."""


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
    tool_calls: tuple[Call, ...] = ()
    """Tools the model asks for; the finish is then `Finish.TOOL` whatever is said above."""
    pieces: tuple[str, ...] | None = None
    """The text as a stream cuts it, instead of `text`; None lets the upstream cut that."""
    delay: float = 0.0
    """Seconds between two pieces of a stream."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """The tools asked for: one of its own invention where only the finish tells of any."""
        if self.tool_calls or self.finish is not Finish.TOOL:
            return self.tool_calls
        return (Call("df", {"path": "/"}),)

    @property
    def end(self) -> Finish:
        """Why the model stopped, after a look at its calls."""
        return Finish.TOOL if self.tool_calls else self.finish

    @property
    def silent(self) -> bool:
        """Whether the text is left out altogether."""
        return self.text is None and self.pieces is None


def calling(*calls: Call, **changes: Any) -> Answer:
    """Say nothing and ask for these tools."""
    return Answer(text=None, finish=Finish.TOOL, tool_calls=calls, **changes)


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
    """Count plausibly: the completion includes the thinking and what tools are called with."""
    text += "".join(f"{call.name}{as_json(call.arguments)}" for call in answer.calls)
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
    if answer.pieces is not None:
        return "".join(answer.pieces)
    if isinstance(answer.text, str):
        return answer.text
    if answer.text is None:
        return ""
    body = json.dumps(answer.text, ensure_ascii=False)
    return body if wants_json else f"```json\n{body}\n```"


def as_pieces(answer: Answer, text: str) -> tuple[str, ...]:
    """Cut the answer's text as it is streamed."""
    return answer.pieces if answer.pieces is not None else cut(text)


def cut(text: str, *, most: int = 6) -> tuple[str, ...]:
    """Cut a text into at most so many pieces of about one length; nothing for no text."""
    size = max(1, -(-len(text) // most))
    return tuple(text[start : start + size] for start in range(0, len(text), size))


def as_json(value: Any) -> str:
    """Write JSON text as models do."""
    return json.dumps(value, ensure_ascii=False)


def made_up_id(request: bytes, place: int) -> str:
    """Make up what follows the prefix of a call's id: the same for the same request."""
    return hashlib.sha256(b"%d %s" % (place, request)).hexdigest()[:24]
