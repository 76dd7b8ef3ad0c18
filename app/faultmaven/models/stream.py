"""An answer on its way: what is heard of it while it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.prompt import Thought
from faultmaven.models.value import value


@value
class ToolCallPiece:
    """A part of one tool call.

    Attributes:
        index: which call of the answer, from 0.
        id: of the call; with its first piece, else empty.
        name: of the tool; with its first piece, else empty.
        arguments: the next part of the JSON text.
        signature: the vendor's opaque proof, with whichever piece brings it; else empty.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    signature: str = ""


@value
class Delta:
    """One piece of an answer. Most carry text alone.

    Attributes:
        text: the next part of the answer.
        reasoning: the next part of what the model thinks aloud, kept apart from the answer.
        thought: a whole block of thoughts, once it is signed; its text came as ``reasoning``.
        tool_calls: parts of tool calls.
        logprobs: token probabilities in OpenAI's shape, where they were asked for.
        finish_reason: why the model stopped, in the vendor's word; empty until it says so.
        usage: tokens spent so far; the last one counts. ``None`` where nothing is said of them.
        model: model that answers, as the vendor names it; or empty.
        cost_usd: price as the vendor states it, or ``None``.
    """

    text: str = ""
    reasoning: str = ""
    thought: Thought | None = None
    tool_calls: tuple[ToolCallPiece, ...] = ()
    logprobs: tuple[Mapping[str, Any], ...] = ()
    finish_reason: str = ""
    usage: Usage | None = None
    model: str = ""
    cost_usd: float | None = None

    @property
    def has_content(self) -> bool:
        """Whether it holds a part of the answer that is more than blank."""
        return bool(self.tool_calls) or bool(self.text and not self.text.isspace())


@value
class Beginning:
    """Who answers, known before the first piece and final from then on.

    Attributes:
        provider: name as in ``PROVIDER_SCHEMA``.
        model: model that was asked.
        attempts: what else was tried so far, in order, the one that answers not included.
        ignored: what the caller asked for that this provider has no word for.
        first_token_ms: milliseconds from asking this provider to its first content.
        queue_ms: milliseconds that were waited before asking it, for a retry or beside a slow one.
    """

    provider: str
    model: str
    attempts: tuple[Attempt, ...] = ()
    ignored: tuple[str, ...] = ()
    first_token_ms: float = 0.0
    queue_ms: float = 0.0


class IAnswerListener(Protocol):
    """Hears an answer while it is written.

    Whoever asks passes one as the option ``listener`` and still gets the whole answer in the end.
    A method may wait, for a slow reader: then the provider waits too. `on_begin` comes once at
    most, before the first `on_delta`; from then on nobody else is asked. What follows a failure
    is an exception from ``generate``.

    A method may be called in a task of its own, with a copy of the caller's context: it sees the
    context variables as they were when that task began, and the caller sees none that it sets.
    """

    async def on_attempt(self, attempt: Attempt) -> None:
        """An attempt ended, good or bad."""
        ...

    async def on_begin(self, beginning: Beginning) -> None:
        """The answer begins."""
        ...

    async def on_delta(self, delta: Delta) -> None:
        """The next piece of the answer, content or thoughts; usage and finish are not passed on."""
        ...
