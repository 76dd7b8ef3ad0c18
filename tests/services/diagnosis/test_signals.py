"""Form and evidence move the confidence, each with its reason."""

from __future__ import annotations

from itertools import product

import pytest

from faultmaven.models.api import Evidence
from faultmaven.models.prompt import StructuredOutput, Target
from faultmaven.services.diagnosis import AnswerForm, Diagnosis, judge

_LARGE = Target("openai", "gpt-4o", structured=StructuredOutput.JSON_SCHEMA)
_SMALL = Target("local", "tiny", structured=StructuredOutput.JSON_SCHEMA, small=True)


def _evidence(
    verified: int, unverified: int = 0, *, words: str = "Reason: OOMKilled"
) -> list[Evidence]:
    return [
        *(Evidence(quote=words, source="query", line=1, verified=True) for _ in range(verified)),
        *(Evidence(quote="x", source=None, line=None, verified=False) for _ in range(unverified)),
    ]


def _deltas(
    diagnosis: Diagnosis,
    evidence: list[Evidence],
    *,
    has_logs: bool = True,
    target: Target = _LARGE,
) -> dict[str, float]:
    signals = judge(diagnosis, evidence, has_logs=has_logs, target=target)
    assert all(signal.reason for signal in signals)
    return {signal.name: signal.delta for signal in signals}


_JSON = Diagnosis(AnswerForm.JSON, "", summary="s")
_NARROW = Diagnosis(AnswerForm.NARROW, "", root_cause="r")
_FREE = Diagnosis(AnswerForm.FREE, "words")


@pytest.mark.parametrize(
    ("diagnosis", "evidence", "expected"),
    [
        (_JSON, _evidence(2), {"structure": 0.05, "evidence": 0.1}),
        (_JSON, _evidence(1), {"structure": 0.05, "evidence": 0.05}),
        (_JSON, _evidence(3, 1), {"structure": 0.05, "evidence": -0.05}),
        (_JSON, _evidence(0, 9), {"structure": 0.05, "evidence": -0.2}),
        (_JSON, [], {"structure": 0.05, "evidence": -0.1}),
        (_FREE, [], {"structure": -0.1, "evidence": -0.1}),
        (
            Diagnosis(AnswerForm.MARKDOWN, "", inconclusive=True),
            _evidence(2),
            {"structure": 0.05, "evidence": 0.1, "inconclusive": -0.1},
        ),
    ],
)
def test_signals_are_those_decided(
    diagnosis: Diagnosis, evidence: list[Evidence], expected: dict[str, float]
) -> None:
    """Form, verified and unverified quotes and honesty weigh as documented."""
    assert _deltas(diagnosis, evidence) == expected


def test_no_quote_is_no_fault_where_there_was_nothing_to_quote() -> None:
    """A short question without logs asks for no evidence."""
    assert "evidence" not in _deltas(_FREE, [], has_logs=False)


def test_quotes_chosen_from_a_list_prove_nothing() -> None:
    """A small model that can only quote what stands there earns nothing by it."""
    assert _deltas(_NARROW, _evidence(3), target=_SMALL)["evidence"] == 0
    assert _deltas(_JSON, _evidence(3), target=_SMALL)["evidence"] == 0.1
    assert _deltas(_NARROW, _evidence(1, 1), target=_SMALL)["evidence"] < 0


def test_small_model_is_named_without_weight() -> None:
    """The caller learns that a small model answered; its prior already counts that."""
    assert _deltas(_JSON, [], target=_SMALL)["small_model"] == 0
    assert "small_model" not in _deltas(_JSON, [])


def test_all_that_is_good_adds_up_to_what_the_chain_expects() -> None:
    """The sum of good signals never exceeds 0.15, on which the chain's stopping relies."""
    for form, verified, target in product(AnswerForm, range(6), (_LARGE, _SMALL)):
        evidence = _evidence(verified, words="a quote of some length")
        deltas = _deltas(Diagnosis(form, ""), evidence, target=target)
        assert sum(delta for delta in deltas.values() if delta > 0) <= 0.15 + 1e-9
