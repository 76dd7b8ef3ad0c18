"""Every vendor's stream, failing in every way: none of the failures is a silent success."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.streaming import cases, outcome
from contract.subjects import ANSWER, BACKUP, Subject
from faultmaven.infrastructure.llm.transport import Transport
from upstreams import Fault

TABLE = Path(__file__).parents[2] / "docs" / "stream-outcomes.md"
_HALF = "half the answer"


@pytest.mark.parametrize(
    ("subject", "fault"),
    [pytest.param(s, f, id=f"{s.label}-{f.name}") for s, f in cases()],
)
async def test_outcome(subject: Subject, fault: Fault, transport: Transport) -> None:
    """Before content the next provider answers, after it an error is told, nothing twice."""
    got = await outcome(subject, fault, transport)
    told = fault.name.endswith("_after_content")
    if fault.name == "stream_refused_midway":
        assert got.what == "answered"
        assert got.finish_reason == "content_filter", "an answer that policy cut says so"
    elif fault.answered:
        assert (got.what, got.heard.strip()) == ("answered", ANSWER)
    elif told:
        assert got.what == "told"
        assert got.beginnings == (subject.row,)
        assert got.heard, _HALF
        assert ANSWER.startswith(got.heard)
        assert got.attempts == (got.error_class,), "a failure that counts, and nobody else is asked"
    else:
        assert (got.what, got.beginnings, got.heard) == ("next", (BACKUP,), "From the backup.")
    if not fault.answered:
        assert got.error_class in fault.classes
    assert str(got) == _documented()[fault.name][subject.label]


def _documented() -> dict[str, dict[str, str]]:
    """The table of the documentation: fault, then vendor."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    labels, _, *body = rows
    return {row[0].strip("`"): dict(zip(labels[1:], row[1:], strict=True)) for row in body}
