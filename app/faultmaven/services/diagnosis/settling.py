"""What we make of a diagnosis once its evidence is known (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from faultmaven.knowledge.library import RunbookCommand
from faultmaven.models.api import Command, Evidence, Finding
from faultmaven.services.diagnosis.commands import classify, more_careful
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis


def settle(
    diagnosis: Diagnosis, evidence: Sequence[Evidence], known: Mapping[str, RunbookCommand]
) -> Diagnosis:
    """The diagnosis as we stand by it.

    A finding keeps its evidence only if that stands in the input. A command is as safe as the
    more careful of the model and us says; one from a runbook is what the runbook says.
    """
    verified = {item.quote for item in evidence if item.verified}
    return replace(
        diagnosis,
        findings=tuple(_finding(finding, verified) for finding in diagnosis.findings),
        commands=tuple(_command(command, known) for command in diagnosis.commands),
        inconclusive=diagnosis.inconclusive or _leaves_open(diagnosis),
    )


def _finding(finding: Finding, verified: set[str]) -> Finding:
    quote = " ".join((finding.evidence or "").split())
    holds = any(quote and (quote in found or found in quote) for found in verified)
    return finding if holds else finding.model_copy(update={"evidence": None})


def _command(command: Command, known: Mapping[str, RunbookCommand]) -> Command:
    entry = known.get(command.command)
    if entry is None:
        safety = more_careful(command.safety, classify(command.command))
        return command.model_copy(update={"safety": safety})
    safety = more_careful(command.safety, entry.safety)
    description = command.description or entry.description
    return command.model_copy(update={"safety": safety, "description": description})


def _leaves_open(diagnosis: Diagnosis) -> bool:
    """Whether it names what is missing and no cause."""
    structured = diagnosis.form is not AnswerForm.FREE
    return structured and not diagnosis.root_cause and bool(diagnosis.missing)
