"""A `Diagnosis` -> Markdown a person can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from faultmaven.models.api import Command, Evidence, Finding, MissingInformation
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis

_SAFETY_WORDS = {
    "read_only": "only looks",
    "changes_state": "changes something",
    "destructive": "**destructive**",
}


def to_markdown(diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> str:
    """The answer for a person: as the model wrote it, or written out from its JSON."""
    if diagnosis.form in {AnswerForm.MARKDOWN, AnswerForm.FREE}:
        return diagnosis.text.strip()
    return "\n\n".join(_paragraphs(diagnosis, evidence))


def _paragraphs(diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> Iterator[str]:
    if diagnosis.summary:
        yield diagnosis.summary
    if diagnosis.inconclusive:
        yield "**What was sent does not suffice for a sure answer.**"
    if diagnosis.root_cause and diagnosis.root_cause != diagnosis.summary:
        yield f"## Root cause\n\n{diagnosis.root_cause}"
    yield from _section("Findings", map(_finding, diagnosis.findings))
    yield from _section("Evidence", map(_quote, evidence))
    yield from _section("Next steps", diagnosis.next_steps, numbered=True)
    yield from _section("Commands", map(_command, diagnosis.commands))
    yield from _section("Recommendations", diagnosis.recommendations)
    yield from _section("Missing information", map(_missing, diagnosis.missing))


def _section(title: str, items: Iterable[str], *, numbered: bool = False) -> Iterator[str]:
    marks = (f"{place}." if numbered else "-" for place in range(1, 1000))
    lines = [f"{mark} {item}" for item, mark in zip(items, marks, strict=False)]
    if lines:
        yield "\n".join((f"## {title}", "", *lines))


def _finding(finding: Finding) -> str:
    opinion = "" if finding.evidence else " (opinion: no evidence in the input)"
    return f"**{finding.severity}**: {finding.message}{opinion}"


def _quote(evidence: Evidence) -> str:
    if not evidence.verified:
        where = "not found in the input"
    else:
        where = str(evidence.source) + (f", line {evidence.line}" if evidence.line else "")
    return f"{_code(evidence.quote)} ({where})"


def _command(command: Command) -> str:
    purpose = f": {command.description}" if command.description else ""
    return f"{_code(command.command)} ({_SAFETY_WORDS[command.safety]}){purpose}"


def _missing(missing: MissingInformation) -> str:
    return "; ".join(part for part in (f"**{missing.what}**", missing.how, missing.why) if part)


def _code(text: str) -> str:
    """A code span; text with backticks gets longer ones around it."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{' '.join(text.split())}{pad}{fence}"
