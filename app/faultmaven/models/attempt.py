"""What happened in one try at one provider."""

from __future__ import annotations

from faultmaven.errors import ErrorClass
from faultmaven.models.value import value


@value
class Usage:
    """Tokens spent by one completion.

    Attributes:
        prompt: tokens read, cached ones included.
        completion: tokens written, reasoning included.
        cached: tokens of ``prompt`` that the vendor had read before.
        reasoning: tokens of ``completion`` that went into thoughts.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """Tokens read and written."""
        return self.prompt + self.completion


@value
class Attempt:
    """One try at one provider, good or bad; the unit of metrics, logs and responses.

    Attributes:
        provider: name as in ``PROVIDER_SCHEMA``.
        model: model that was asked.
        number: 1 for the first try at this provider in this request, 2 for its first retry.
        error_class: how it failed, or ``None`` when it answered.
        detail: short redacted text of the failure, or ``None``.
        hint: what an operator can do about the failure, or ``None``.
        status_code: HTTP status of the provider, or ``None`` when there was none.
        confidence: score of the answer in [0, 1], or ``None`` when there was none.
        queue_ms: milliseconds spent waiting before the request was sent (backoff included).
        connect_ms: milliseconds from sending to the head of the answer, or ``None`` where that
            was not seen.
        first_token_ms: milliseconds from sending to the first content of a streamed answer, or
            ``None`` where there was none.
        total_ms: milliseconds from sending to the whole answer or the failure.
        usage: tokens spent.
        cost_usd: price of the attempt, or ``None`` when the price is not known.
        retry_after: seconds the provider asked us to wait, or ``None``.
        next_because: why another attempt followed, or ``None`` for the last one; ``hedge`` where
            that one was asked beside this one, because this one was slow.
        cut_short: the caller's own deadline ended it before any provider could be expected to
            answer, or this one was not ready and was spared: its failure says nothing of it.
        lost: another provider that was asked beside it answered first, and it was given up.
    """

    provider: str
    model: str
    number: int = 1
    error_class: ErrorClass | None = None
    detail: str | None = None
    hint: str | None = None
    status_code: int | None = None
    confidence: float | None = None
    queue_ms: float = 0.0
    connect_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float = 0.0
    usage: Usage = Usage()
    cost_usd: float | None = None
    retry_after: float | None = None
    next_because: str | None = None
    cut_short: bool = False
    lost: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the provider answered, whatever the confidence."""
        return self.error_class is None and not self.lost

    @property
    def outcome(self) -> str:
        """``ok``, ``lost``, or the class of the failure: a closed set, fit for a metric label."""
        if self.error_class is not None:
            return self.error_class.value
        return "lost" if self.lost else "ok"
