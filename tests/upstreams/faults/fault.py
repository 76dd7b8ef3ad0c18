"""What a fault is: a behaviour with a name, a note, and what a client should make of it."""

from dataclasses import dataclass

from upstreams.exchange import Behaviour, Exchange

ANSWERED = "answered"
"""The class of a fault that is none for a careful client: the answer is there."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which an upstream misbehaves. It is a behaviour: call it with an exchange."""

    name: str
    """Stable; tests and benchmarks refer to it."""
    note: str
    """What happens, in a few words."""
    classes: frozenset[str]
    """What a client may call it, in the vocabulary of the error classes (`auth`, `timeout`, …)."""
    behaviour: Behaviour
    dialects: frozenset[str] | None = None
    """Where it can happen; None is everywhere."""
    stalls: bool = False
    """Whether it ends only when the client gives up, so that a test wants a short timeout."""

    async def __call__(self, exchange: Exchange) -> None:
        """Misbehave."""
        await self.behaviour(exchange)

    def applies_to(self, dialect: str) -> bool:
        """Tell whether it can happen at this vendor."""
        return self.dialects is None or dialect in self.dialects

    @property
    def answered(self) -> bool:
        """Whether a careful client gets an answer all the same."""
        return ANSWERED in self.classes


def fault(
    name: str,
    note: str,
    classes: str,
    behaviour: Behaviour,
    *,
    at: frozenset[str] | None = None,
    stalls: bool = False,
) -> Fault:
    """Write a fault down; its classes are words in one text."""
    return Fault(name, note, frozenset(classes.split()), behaviour, at, stalls)
