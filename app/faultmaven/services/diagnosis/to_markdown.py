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


INCONCLUSIVE = "**What was sent does not suffice for a sure answer.**"


def to_markdown(diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> str:
    """The answer for a person: as the model wrote it, or written out from its JSON."""
    if diagnosis.form in {AnswerForm.MARKDOWN, AnswerForm.FREE}:
        return diagnosis.text.strip()
    return "\n\n".join(paragraph for _, paragraph in paragraphs(diagnosis, evidence))


def paragraphs(diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> Iterator[tuple[str, str]]:
    """What a diagnosis says, written out, each paragraph with its title."""
    if diagnosis.summary:
        yield "Summary", diagnosis.summary
    if diagnosis.inconclusive:
        yield "Inconclusive", INCONCLUSIVE
    if diagnosis.root_cause and diagnosis.root_cause != diagnosis.summary:
        yield "Root cause", f"## Root cause\n\n{diagnosis.root_cause}"
    yield from _section("Findings", map(finding_line, diagnosis.findings))
    yield from _section("Evidence", map(evidence_line, evidence))
    yield from _section("Next steps", diagnosis.next_steps, numbered=True)
    yield from _section("Commands", map(command_line, diagnosis.commands))
    yield from _section("Recommendations", diagnosis.recommendations)
    yield from _section("Missing information", map(missing_line, diagnosis.missing))


def _section(
    title: str, items: Iterable[str], *, numbered: bool = False
) -> Iterator[tuple[str, str]]:
    marks = (f"{place}." if numbered else "-" for place in range(1, 1000))
    lines = [f"{mark} {item}" for item, mark in zip(items, marks, strict=False)]
    if lines:
        yield title, "\n".join((f"## {title}", "", *lines))


def finding_line(finding: Finding) -> str:
    """One finding."""
    opinion = "" if finding.evidence else " (opinion: no evidence in the input)"
    return f"**{finding.severity}**: {finding.message}{opinion}"


def evidence_line(evidence: Evidence) -> str:
    """One quote, and where it stands."""
    if not evidence.verified:
        where = "not found in the input"
    else:
        where = str(evidence.source) + (f", line {evidence.line}" if evidence.line else "")
    return f"{_code(evidence.quote)} ({where})"


def command_line(command: Command) -> str:
    """One command, and how dangerous it is."""
    purpose = f": {command.description}" if command.description else ""
    return f"{_code(command.command)} ({_SAFETY_WORDS[command.safety]}){purpose}"


def missing_line(missing: MissingInformation) -> str:
    """One thing to collect."""
    return "; ".join(part for part in (f"**{missing.what}**", missing.how, missing.why) if part)


def _code(text: str) -> str:
    """A code span; text with backticks gets longer ones around it."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{' '.join(text.split())}{pad}{fence}"
