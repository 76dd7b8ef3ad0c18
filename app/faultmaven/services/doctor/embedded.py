"""Whether the embedded model could run here. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from faultmaven.services.doctor.finding import Finding

_SUBJECT = "embedded model"
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAbility:
    """What the embedded model would find here.

    Attributes:
        wanted: whether the service would start it.
        reason: why, or why not, one sentence.
        model: the model that would run.
        obstacle: what keeps it from running, or ``None``.
        fix: what to do about that, or ``None``.
        missing_bytes: what is still to be fetched; 0 when the weights are here.
        free_disk: bytes free where they are kept.
        needed_memory: bytes its server takes.
        free_memory: bytes a process could take, or ``None`` if unknown.
    """

    wanted: bool
    reason: str
    model: str
    obstacle: str | None = None
    fix: str | None = None
    missing_bytes: int = 0
    free_disk: int = 0
    needed_memory: int = 0
    free_memory: int | None = None


def examine_embedded(ability: EmbeddedAbility) -> Iterator[Finding]:
    """What stands in its way; one finding when nothing does, or when nobody wants it."""
    if not ability.wanted:
        yield Finding("skipped", _SUBJECT, f"Not in use: {ability.reason}")
        return
    obstacles = list(_obstacles(ability))
    yield from obstacles
    if not any(finding.severity == "problem" for finding in obstacles):
        yield Finding("ok", _SUBJECT, f"{ability.model} can run here. {_weights(ability)}")


def _obstacles(ability: EmbeddedAbility) -> Iterator[Finding]:
    if ability.obstacle:
        yield Finding("problem", _SUBJECT, ability.obstacle, ability.fix)
    if ability.missing_bytes > ability.free_disk:
        message = (
            f"{ability.model} needs {_size(ability.missing_bytes)} on the disk; "
            f"{_size(ability.free_disk)} are free."
        )
        fix = "Make room, or set FAULTMAVEN_CACHE_DIR to a folder on another disk."
        yield Finding("problem", _SUBJECT, message, fix)
    if ability.free_memory is not None and ability.free_memory < ability.needed_memory:
        message = (
            f"{ability.model} takes {_size(ability.needed_memory)} of memory; "
            f"{_size(ability.free_memory)} are free."
        )
        yield Finding("warning", _SUBJECT, message, "Free some, or set LOCAL_MODEL=small.")


def _weights(ability: EmbeddedAbility) -> str:
    if not ability.missing_bytes:
        return "Its weights are here."
    fetch = "the first start fetches them (or `faultmaven model pull`)"
    return f"Of its weights {_size(ability.missing_bytes)} are missing; {fetch}."


def _size(amount: int) -> str:
    return f"{amount / _MIB:,.0f} MiB"
