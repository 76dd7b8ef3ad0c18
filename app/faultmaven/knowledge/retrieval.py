"""Finding the runbook that fits a question or a log.

Two signs are added up: the words of the question, ranked by the full-text index, and the
symptoms that stand in the text word for word, which count the more, the rarer their words are
among all runbooks. The numbers below were chosen on the queries of the tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum, log

from faultmaven.knowledge.fulltext import FullTextIndex, columns
from faultmaven.knowledge.library import Runbook
from faultmaven.knowledge.symptoms import Symptom, SymptomIndex
from faultmaven.knowledge.terms import search_terms, tokens

__all__ = ["RunbookIndex", "RunbookMatch"]

_MOST_WORDS = 48  # bounds the full-text query
_SYMPTOM_WEIGHT = 3.0  # of a symptom's rarity against the full-text score
_QUESTION = 1_000  # characters; in a longer text more and more words are not the question's
_LEAST_WORDS_WEIGHT = 0.3
_LEAST_SCORE = 9.0  # what a text of another subject reaches by chance
_GENERAL_SHARE = 0.75  # of its score that a general runbook keeps beside a particular one
_LEAST_SHARE = 0.25  # of the best score; below, a runbook is only in the way


@dataclass(frozen=True, slots=True)
class RunbookMatch:
    """A runbook that fits a text.

    Attributes:
        runbook: what was found.
        score: how well it fits; 9 or more, about 20 for a clear question, 100 and more for a
            log full of its symptoms. Compare scores of one search only.
        matched_symptoms: its symptoms that stand in the text, the most telling first.
    """

    runbook: Runbook
    score: float
    matched_symptoms: tuple[str, ...]


class RunbookIndex:
    """An index over runbooks, in memory; may be asked from several threads."""

    def __init__(self, runbooks: Iterable[Runbook]) -> None:
        """Index ``runbooks``."""
        self._runbooks = tuple(runbooks)
        self._rarity = _rarity(self._runbooks)
        self._symptoms = SymptomIndex([r.symptoms for r in self._runbooks], self._rarity)
        self._words = FullTextIndex(self._runbooks)

    def search(self, text: str, *, limit: int = 2) -> tuple[RunbookMatch, ...]:
        """Return at most ``limit`` runbooks that fit ``text``, best first; any text will do."""
        symptoms = self._symptoms.find(tokens(text))
        scores = self._word_scores(text)
        for row, found in symptoms.items():
            scores[row] = scores.get(row, 0.0) + _symptom_score(found)
        self._put_particulars_first(scores, among=symptoms)
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[: max(0, limit)]
        least = max(_LEAST_SCORE, _LEAST_SHARE * ranked[0][1]) if ranked else 0.0
        return tuple(
            RunbookMatch(self._runbooks[row], score, _literals(symptoms.get(row, ())))
            for row, score in ranked
            if score >= least
        )

    def _put_particulars_first(self, scores: dict[int, float], *, among: Iterable[int]) -> None:
        """Lower general runbooks where a symptom of a particular one stands in the text."""
        if all(self._runbooks[row].general for row in among):
            return
        for row in scores:
            if self._runbooks[row].general:
                scores[row] *= _GENERAL_SHARE

    def _word_scores(self, text: str) -> dict[int, float]:
        words = sorted(search_terms(text), key=self._rarity_of, reverse=True)[:_MOST_WORDS]
        weight = _words_weight(len(text))
        return {row: weight * score for row, score in self._words.scores(words).items()}

    def _rarity_of(self, word: str) -> float:
        """Rarity of a word; 0 for one that stands in no runbook, though its stem may."""
        return self._rarity.get(word.encode("ascii", "replace"), 0.0)


def _words_weight(length: int) -> float:
    """Return how much single words tell in a text of ``length`` characters: 1 down to 0.3."""
    return max(_LEAST_WORDS_WEIGHT, min(1.0, _QUESTION / max(1, length)))


def _rarity(runbooks: Sequence[Runbook]) -> dict[bytes, float]:
    """Inverse document frequency of each word of the runbooks, in nats."""
    counts = Counter(
        word for runbook in runbooks for word in tokens("\n".join(columns(runbook))).words
    )
    return {word: log(1 + len(runbooks) / count) for word, count in counts.items()}


def _symptom_score(found: Sequence[Symptom]) -> float:
    """Sum of the weights, each next one counting half: symptoms of one fault come together."""
    return _SYMPTOM_WEIGHT * fsum(symptom.weight * 0.5**n for n, symptom in enumerate(found))


def _literals(found: Sequence[Symptom]) -> tuple[str, ...]:
    return tuple(symptom.literal for symptom in found)
