"""What is asked, and whom it is written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from faultmaven.models.confidence import Signal


class StructuredOutput(StrEnum):
    """How a target can be held to a JSON schema."""

    JSON_SCHEMA = "json_schema"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a message.

    Attributes:
        media_type: such as ``image/png``.
        data: the bytes, base64.
    """

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: who speaks. The system prompt is a message too; codecs put it where the
            vendor wants it.
        text: what is said.
        images: pictures that belong to it, after the text.
    """

    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Who is about to be asked, as far as it matters for writing the prompt.

    Attributes:
        provider: name as in ``PROVIDER_SCHEMA``.
        model: the model's name.
        context_window: tokens that fit, prompt and answer together, or ``None`` if unknown.
        structured: how it can be held to a JSON schema.
        small: a small model, which needs a short prompt and a narrow choice.
    """

    provider: str
    model: str
    context_window: int | None = None
    structured: StructuredOutput = StructuredOutput.NONE
    small: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation written for one target.

    Attributes:
        messages: system prompt first if there is one, then the turns; the last is the user's.
        response_schema: JSON schema the answer must follow, for targets that can; else ``None``.
        temperature: sampling temperature in [0, 2] that suits it, unless the caller asks for
            another; ``None`` leaves it to the model.
    """

    messages: tuple[Message, ...]
    response_schema: Mapping[str, Any] | None = None
    temperature: float | None = None


Render = Callable[[Target], Prompt]
"""Writes the prompt for the target that is about to be asked. Pure: may be called often."""

Assess = Callable[[str, Target], Sequence[Signal]]
"""Judges the text of an answer against what was asked, as signals for its confidence. Pure."""
