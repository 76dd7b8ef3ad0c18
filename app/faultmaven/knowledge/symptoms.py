"""Which symptoms of which runbooks stand in a text, word for word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faultmaven.knowledge.terms import Tokens, tokens

__all__ = ["Symptom", "SymptomIndex"]

_MOST_LOOK_UPS = 128  # phrases searched for in one text, each about 0.5 ms in a megabyte


@dataclass(frozen=True, slots=True)
class Symptom:
    """One symptom of one runbook.

    Attributes:
        row: position of the runbook.
        literal: the symptom as the runbook has it.
        tokens: its words.
        weight: sum of their rarity.
    """

    row: int
    literal: str
    tokens: Tokens
    weight: float


class SymptomIndex:
    """Symptoms by their rarest word, so that only those are searched for that may be there."""

    def __init__(self, symptoms: Sequence[Sequence[str]], rarity: Mapping[bytes, float]) -> None:
        """Index the symptoms of each row; ``rarity`` knows all of their words."""
        self._by_rarest: dict[bytes, list[Symptom]] = {}
        for row, literals in enumerate(symptoms):
            for literal in literals:
                self._add(row, literal, rarity)

    def _add(self, row: int, literal: str, rarity: Mapping[bytes, float]) -> None:
        found = tokens(literal)
        weight = sum(rarity[word] for word in found.stream.split())
        rarest = max(sorted(found.words), key=rarity.__getitem__)
        self._by_rarest.setdefault(rarest, []).append(Symptom(row, literal, found, weight))

    def find(self, text: Tokens) -> dict[int, list[Symptom]]:
        """Return the symptoms that stand in ``text`` by row, the weightiest first."""
        found: dict[int, list[Symptom]] = {}
        for symptom in self._candidates(text.words)[:_MOST_LOOK_UPS]:
            if symptom.tokens.stream in text.stream:
                found.setdefault(symptom.row, []).append(symptom)
        return found

    def _candidates(self, words: frozenset[bytes]) -> list[Symptom]:
        """Symptoms all of whose words are there, the weightiest first."""
        candidates = [
            symptom
            for word in self._by_rarest.keys() & words
            for symptom in self._by_rarest[word]
            if symptom.tokens.words <= words
        ]
        return sorted(candidates, key=lambda symptom: (-symptom.weight, symptom.literal))
