"""What an answer's form and evidence say about its confidence (pure).

All that is good adds up to at most 0.15: the chain counts on that when it decides whether
asking a further provider can help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from faultmaven.models.api import Evidence
from faultmaven.models.confidence import Signal
from faultmaven.models.prompt import Target
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis

_SOLID_CHARS = 20  # verified words from which evidence weighs fully
_PER_UNVERIFIED, _MOST_UNVERIFIED = 0.05, 0.2


def judge(
    diagnosis: Diagnosis, evidence: Sequence[Evidence], *, has_logs: bool, target: Target
) -> tuple[Signal, ...]:
    """Signals of one answer.

    Args:
        diagnosis: the answer, taken apart.
        evidence: its quotes, looked up.
        has_logs: whether the caller gave anything worth quoting.
        target: who answered.
    """
    return (
        *_structure(diagnosis),
        *_evidence(diagnosis, evidence, has_logs=has_logs),
        *_honesty(diagnosis),
        *_size(target),
    )


def _structure(diagnosis: Diagnosis) -> Iterator[Signal]:
    if diagnosis.form is AnswerForm.FREE:
        yield Signal("structure", -0.1, "the answer does not have the form asked for")
    else:
        yield Signal("structure", 0.05, "the answer has the form asked for")


def _evidence(
    diagnosis: Diagnosis, evidence: Sequence[Evidence], *, has_logs: bool
) -> Iterator[Signal]:
    if not evidence:
        if has_logs:
            yield Signal("evidence", -0.1, "the answer quotes nothing of what was sent")
        return
    unverified = sum(not item.verified for item in evidence)
    if unverified:
        delta = -round(min(_PER_UNVERIFIED * unverified, _MOST_UNVERIFIED), 4)
        reason = f"{unverified} of {len(evidence)} quotes do not stand in the input"
        yield Signal("evidence", delta, reason)
        return
    if diagnosis.form is AnswerForm.NARROW:
        yield Signal("evidence", 0.0, "the quotes were chosen from a list of the input's lines")
        return
    solid = sum(len(item.quote) for item in evidence) >= _SOLID_CHARS
    reason = f"all {len(evidence)} quotes stand in the input"
    yield Signal("evidence", 0.1 if solid else 0.05, reason)


def _honesty(diagnosis: Diagnosis) -> Iterator[Signal]:
    if diagnosis.inconclusive:
        yield Signal("inconclusive", -0.1, "the input does not suffice for a sure answer")


def _size(target: Target) -> Iterator[Signal]:
    if target.small:
        yield Signal("small_model", 0.0, "a small model answered; its prior says how it fares")
