"""A model's name against the names a vendor lists."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

_MOST_NEAREST = 3
_LEAST_LIKENESS = 0.3
_SHORT_LIST = 5  # names; of so few, all are worth telling


@dataclass(frozen=True, slots=True)
class ModelMatch:
    """What became of looking for a model in a list.

    Attributes:
        found: whether it is listed; ``None`` where there is no list.
        nearest: the names most like it, best first; empty where it was found.
    """

    found: bool | None
    nearest: tuple[str, ...] = ()


def match_model(model: str, names: Sequence[str]) -> ModelMatch:
    """Look for ``model`` in ``names``.

    Case counts, as it does for the vendors. Two spellings are one name: Gemini's prefix
    ``models/``, and Ollama's tag ``:latest``, which goes without saying.
    """
    if not names:
        return ModelMatch(found=None)
    if _plain(model) in {_plain(name) for name in names}:
        return ModelMatch(found=True)
    return ModelMatch(found=False, nearest=_nearest(model, names))


def _plain(name: str) -> str:
    return name.removeprefix("models/").removesuffix(":latest")


def _nearest(model: str, names: Sequence[str]) -> tuple[str, ...]:
    """Compared without regard to case and path: 'GPT4o' is nearer to 'gpt-4o' than to anything."""
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(_key(name), name)
    cutoff = 0.0 if len(by_key) <= _SHORT_LIST else _LEAST_LIKENESS
    keys = difflib.get_close_matches(_key(model), list(by_key), n=_MOST_NEAREST, cutoff=cutoff)
    return tuple(by_key[key] for key in keys)


def _key(name: str) -> str:
    return _plain(name).rpartition("/")[2].lower()
