"""A completion as other protocols ask for it, in nobody's words."""

from __future__ import annotations

from faultmaven.models.prompt import Controls, Message
from faultmaven.models.value import value


@value
class CompletionQuestion:
    """What the callers of the compatible APIs ask.

    Attributes:
        model: as the caller wrote it: ``auto`` (the chain), a provider, ``provider/model``, a
            model that the chain has, or ``faultmaven/troubleshoot``.
        messages: the conversation; system prompts stand where the caller put them.
        max_tokens: most tokens to write, from 1, or ``None`` for the default.
        temperature: in [0, 2], or ``None``.
        stop: texts that end the answer.
        controls: tools, form of the answer and further fields.
        providers: narrows the chain to these names, in this order; empty for all.
        confidence_threshold: in [0, 1]: asked for, answers below it let the chain go on. Without
            it the first answer wins.
        require_confidence: rather fail than answer below the threshold.
        max_cost_usd: the chain does not go on once this much is spent.
        timeout: seconds the caller gives, or ``None``.
        size: characters of the whole request, so that a large one holds nobody else up.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    controls: Controls = Controls()
    providers: tuple[str, ...] = ()
    confidence_threshold: float | None = None
    require_confidence: bool = False
    max_cost_usd: float | None = None
    timeout: float | None = None
    size: int = 0
