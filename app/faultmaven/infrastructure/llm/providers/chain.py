"""In which order providers are asked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

FALLBACK_ORDER = ("fireworks", "openai", "local")
"""Who follows the primary by default, as far as configured."""

NO_FALLBACK = "none"
"""The word in ``FALLBACK_CHAIN`` for a chain of the primary alone."""

PRESETS: Mapping[str, tuple[str, ...]] = {
    "production": ("fireworks", "openai", "local"),
    "enterprise": ("anthropic", "openai", "fireworks"),
    "development": ("local", "fireworks", "openai"),
    "research": ("huggingface", "gemini", "fireworks"),
    "flexible": ("openrouter", "anthropic", "openai"),
    "cost": ("fireworks", "local", "huggingface"),
    "privacy": ("local",),
}
"""The documented chains by use case, the primary first."""


@dataclass(frozen=True, slots=True)
class ChainPolicy:
    """How the chain after the primary is chosen.

    Attributes:
        fallbacks: who follows, in order; ``None`` for `FALLBACK_ORDER`.
        append_rest: whether configured providers that the order leaves out are used too.
        local: names of providers that run on the operator's own machines.
        local_only: whether only those may be asked.
    """

    fallbacks: tuple[str, ...] | None = None
    append_rest: bool = False
    local: frozenset[str] = frozenset({"local"})
    local_only: bool = False

    def build(self, primary: str, available: Iterable[str]) -> list[str]:
        """The chain: the primary if available, then the fallbacks that are; no name twice."""
        usable = [name for name in available if name in self.local or not self.local_only]
        order = FALLBACK_ORDER if self.fallbacks is None else self.fallbacks
        chain = _first_of([primary, *order], usable)
        if self.append_rest:
            chain = self._with_rest(primary, chain, usable)
        return chain

    def _with_rest(self, primary: str, chain: list[str], usable: list[str]) -> list[str]:
        """Others go before a local provider that ends the chain: it is the last resort."""
        rest = [name for name in usable if name not in chain]
        ends_locally = chain[-1:] != [primary] and not self.local.isdisjoint(chain[-1:])
        return [*chain[:-1], *rest, chain[-1]] if ends_locally else [*chain, *rest]


def _first_of(names: Iterable[str], usable: Collection[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in usable]
