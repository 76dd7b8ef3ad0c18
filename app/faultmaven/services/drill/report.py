"""What a drill showed, and what follows from it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one request."""

    ANSWERED = "answered"
    TOLD = "told"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request, as its caller saw it.

    Attributes:
        outcome: ``answered`` in full; ``told`` that the answer broke off after part of it was
            heard; ``failed``.
        provider: who answered, or ``None``.
        switch_ms: milliseconds from the request to asking whoever answered, or to the error.
        total_ms: milliseconds from the request to the end.
        attempts: each try, as ``provider: outcome``.
        error: what the caller was told, or ``None``.
    """

    outcome: Outcome
    provider: str | None
    switch_ms: float
    total_ms: float
    attempts: tuple[str, ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at the first providers of the chain.

    Attributes:
        fault: its name.
        failing: who failed, in the chain's order.
        plain: a plain request; ``None`` where the fault befalls streams alone.
        stream: a request for a stream.
    """

    fault: str
    failing: tuple[str, ...]
    plain: Seen | None
    stream: Seen

    @property
    def survived(self) -> bool:
        """Whether the callers have an answer, or know what they have not."""
        fine = {Outcome.ANSWERED, Outcome.TOLD} if self.plain is None else {Outcome.ANSWERED}
        return all(seen.outcome in fine for seen in (self.plain, self.stream) if seen)


@dataclass(frozen=True, slots=True)
class Report:
    """What the chain survives.

    Attributes:
        chain: who was drilled, in order.
        left_out: who is in the configured chain but cannot be drilled.
        cases: every fault at the first provider, at the first two, and so on.
        advice: what to configure; ``None`` where nothing is wanting.
    """

    chain: tuple[str, ...]
    left_out: tuple[str, ...]
    cases: tuple[Case, ...]
    advice: str | None

    @property
    def survives_one(self) -> bool:
        """Whether every fault of one provider is survived."""
        first = [case for case in self.cases if len(case.failing) == 1]
        return bool(first) and all(case.survived for case in first)


def advice_for(chain: Sequence[str], cases: Sequence[Case], missing: Sequence[str]) -> str | None:
    """What to configure so that one provider's failure is survived; ``None`` for nothing.

    Args:
        chain: who is asked, in order.
        cases: what was seen.
        missing: variables that would configure a further provider.
    """
    further = f"Set one of {', '.join(missing)}" if missing else "Add a row to PROVIDERS_FILE"
    if not chain:
        return f"No provider is configured: nobody can answer. {further}."
    if len(chain) == 1:
        return (
            f"The chain is {chain[0]} alone, so nobody answers when it fails. {further}, and see "
            "that FALLBACK_CHAIN names it."
        )
    lost = [case.fault for case in cases if len(case.failing) == 1 and not case.survived]
    if lost:
        return (
            f"{chain[0]} failing with {', '.join(lost)} is not survived within the time a request "
            "has: raise REQUEST_TIMEOUT, or put a faster provider second in FALLBACK_CHAIN."
        )
    return None
