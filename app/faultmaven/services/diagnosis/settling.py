"""What we make of a diagnosis once its evidence is known (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from faultmaven.knowledge.library import Runbook, RunbookCommand
from faultmaven.models.api import Command, Evidence, Finding, MissingInformation
from faultmaven.services.diagnosis.commands import classify, more_careful
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis

_LONGEST_REPEATED = 20_000  # characters of a query; folding megabytes would hold everybody up
_ALWAYS_WANTED = (
    MissingInformation(
        what="The log of the failing component, from before the fault to after it",
        how="Send it as an attachment, with its timestamps",
        why="What came first is mostly the cause, the rest its consequences",
    ),
    MissingInformation(
        what="What changed before the fault began",
        how="Look through deployments, configuration, traffic and certificates",
        why="It narrows the causes down, and undoing it may restore service",
    ),
)


def grounded(diagnosis: Diagnosis, *, has_signs: bool) -> Diagnosis:
    """The diagnosis, or nothing of it where it cannot rest on anything.

    A small model is not asked whether the input suffices, since it cannot tell, and it explains
    a fault that nothing announces as readily as any other.
    """
    if has_signs or diagnosis.form is not AnswerForm.NARROW:
        return diagnosis
    return Diagnosis(AnswerForm.NARROW, diagnosis.text, inconclusive=True)


def settle(
    diagnosis: Diagnosis,
    evidence: Sequence[Evidence],
    *,
    query: str,
    runbooks: Sequence[Runbook] = (),
) -> Diagnosis:
    """The diagnosis as we stand by it.

    A finding keeps its evidence only if that stands in the input. A command is as safe as the
    more careful of the model and us says; of one from a runbook we say what the runbook says.
    A cause that only repeats the query is none, and an answer without one says what to collect.
    """
    if _repeats(diagnosis.root_cause, query):
        diagnosis = replace(diagnosis, root_cause="", inconclusive=True)
    verified = {item.quote for item in evidence if item.verified}
    known = known_commands(runbooks)
    inconclusive = diagnosis.inconclusive or _leaves_open(diagnosis)
    return replace(
        diagnosis,
        findings=tuple(supported(finding, verified) for finding in diagnosis.findings),
        commands=tuple(
            settled_command(command, known) for command in _distinct(diagnosis.commands)
        ),
        missing=diagnosis.missing or (_wanted(runbooks) if inconclusive else ()),
        inconclusive=inconclusive,
    )


def _repeats(cause: str, query: str) -> bool:
    """Whether a cause is the query over again, or most of it; never of one with a log in it."""
    if not cause or len(query) > _LONGEST_REPEATED:
        return False
    said, asked = (" ".join(text.lower().split()) for text in (cause, query))
    return said == asked or (said in asked and len(said) > len(asked) / 2)


def _distinct(commands: Sequence[Command]) -> Iterable[Command]:
    """Each command once, as it was named first."""
    distinct: dict[str, Command] = {}
    for command in commands:
        distinct.setdefault(command.command, command)
    return distinct.values()


def supported(finding: Finding, verified: Collection[str]) -> Finding:
    """The finding, with its evidence only if that stands in one of the verified quotes."""
    quote = " ".join((finding.evidence or "").split())
    holds = any(quote and (quote in found or found in quote) for found in verified)
    return finding if holds else finding.model_copy(update={"evidence": None})


def known_commands(runbooks: Iterable[Runbook]) -> dict[str, RunbookCommand]:
    """What runbooks say of commands, by the command."""
    return {entry.command: entry for runbook in runbooks for entry in runbook.commands}


def settled_command(command: Command, known: Mapping[str, RunbookCommand]) -> Command:
    """The command, as safe as the more careful of the model and us says."""
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


def _wanted(runbooks: Sequence[Runbook]) -> tuple[MissingInformation, ...]:
    """What to collect where the model does not say it."""
    return (
        *(
            MissingInformation(
                what=item.what, how=item.how, why=f"It confirms or excludes: {runbook.title}"
            )
            for runbook in runbooks[:1]
            for item in runbook.missing
        ),
        *_ALWAYS_WANTED,
    )
