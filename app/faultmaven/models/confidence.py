"""How sure an answer is, and why."""

from __future__ import annotations

from faultmaven.models.value import value


@value
class Signal:
    """One reason to trust an answer more or less than its provider's prior.

    Attributes:
        name: stable name, such as ``finish_reason``.
        delta: what it adds to the score, in [-1, 1].
        reason: one sentence for a person.
    """

    name: str
    delta: float
    reason: str


@value
class Confidence:
    """The score of one answer.

    Attributes:
        score: in [0, 1].
        threshold: what the caller asked for, in [0, 1].
        signals: the parts, the provider's prior first.
    """

    score: float
    threshold: float
    signals: tuple[Signal, ...] = ()

    @property
    def below_threshold(self) -> bool:
        """Whether the answer is less sure than asked for."""
        return self.score < self.threshold
