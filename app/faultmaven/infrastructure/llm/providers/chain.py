"""In which order providers are asked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from faultmaven.models.credentials import mask_credentials
from faultmaven.settings import Settings

FALLBACK_ORDER = ("fireworks", "openai", "local")
"""Who follows the primary by default, as far as configured."""

_DEFAULT_PRIMARY = "local"  # without a choice nothing costs money

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


@dataclass(frozen=True, slots=True)
class ChainChoice:
    """What the settings ask of the chain.

    Attributes:
        primary: whom to ask first.
        policy: who follows.
        complaints: settings that name what does not exist.
        warns_of_leaving: whether the operator chose a local primary without saying that the
            chain may leave their machines.
        confined_by: the setting that forbids every provider but local ones, or ``None``.
    """

    primary: str
    policy: ChainPolicy
    complaints: tuple[str, ...] = ()
    warns_of_leaving: bool = False
    confined_by: str | None = None


def choose_chain(settings: Settings, rows: Mapping[str, Mapping[str, Any]]) -> ChainChoice:
    """What ``settings`` ask of a chain over the providers of ``rows``."""
    preset = PRESETS.get(settings.chain_preset or "", ())
    local = frozenset(name for name, row in rows.items() if row.get("local"))
    chosen = settings.chat_provider if settings.chat_provider in rows else None
    fallbacks = settings.fallback_chain if settings.fallback_chain is not None else preset or None
    primary = chosen or (preset[0] if preset else _DEFAULT_PRIMARY)
    confined_by = _confined_by(settings, local_primary=primary in local)
    return ChainChoice(
        primary=primary,
        policy=ChainPolicy(
            fallbacks=() if fallbacks == (NO_FALLBACK,) else fallbacks,
            append_rest=settings.fallback_extra == "all",
            local=local,
            local_only=confined_by is not None,
        ),
        complaints=tuple(_complaints(settings, rows)),
        warns_of_leaving=chosen in local and fallbacks is None,
        confined_by=confined_by,
    )


def _confined_by(settings: Settings, *, local_primary: bool) -> str | None:
    """The setting that keeps every text on the operator's own machines, or ``None``.

    A local primary without fallbacks does: whoever wants nothing after it wants nothing else.
    """
    if settings.local_only:
        return "PRIVACY_MODE=local_only"
    alone = local_primary and settings.fallback_chain == (NO_FALLBACK,)
    return "FALLBACK_CHAIN=none after a local primary" if alone else None


def _complaints(settings: Settings, known: Collection[str]) -> Iterator[str]:
    names = ", ".join(known)
    if settings.chat_provider is not None and settings.chat_provider not in known:
        yield f"CHAT_PROVIDER {_quoted(settings.chat_provider)} is unknown; valid names: {names}"
    if settings.fallback_chain != (NO_FALLBACK,):
        for name in settings.fallback_chain or ():
            if name not in known:
                yield f"FALLBACK_CHAIN {_quoted(name)} is unknown; valid names: {names}"


def _quoted(value: str) -> str:
    """What an operator typed, short and without a key pasted into the wrong line."""
    return f"'{mask_credentials(value)[:40]}'"


def _first_of(names: Iterable[str], usable: Collection[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name in usable]
