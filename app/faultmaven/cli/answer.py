"""Print an answer for a person: what is known, how well, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.markup import escape

from faultmaven.cli.console import out
from faultmaven.services.diagnosis.to_markdown import INCONCLUSIVE, command_line, evidence_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from faultmaven.models.api import (
        Command,
        Evidence,
        Finding,
        MissingInformation,
        TroubleshootResponse,
    )

Item = TypeVar("Item")

_SAFETY = {
    "read_only": ("green", "reads only"),
    "changes_state": ("yellow", "changes state"),
    "destructive": ("red", "destructive"),
}


def show(answer: TroubleshootResponse, *, told: str = "") -> None:
    """Print the parts that the answer has; one without parts is printed as its text.

    Args:
        answer: what is shown.
        told: Markdown that was shown while it was written; what it says is not said again.
    """
    structured = bool(answer.findings or answer.root_cause or answer.evidence)
    if not (structured or told):
        out().print(answer.response, markup=False)
    for line in _lines(answer, _Told(told)):
        out().print(line)


class _Told:
    """What the reader has read, whatever its line breaks."""

    def __init__(self, text: str) -> None:
        self._text = _folded(text)

    def __bool__(self) -> bool:
        """Whether they have read anything."""
        return bool(self._text)

    def has(self, words: str) -> bool:
        """Whether these words are among it."""
        return _folded(words) in self._text if self._text else False

    def new(self, items: Iterable[Item], words: Callable[[Item], str]) -> list[Item]:
        """The items that are not, each known by its words."""
        return [item for item in items if not self.has(words(item))]


def _folded(text: str) -> str:
    return " ".join(text.split())


def _lines(answer: TroubleshootResponse, told: _Told) -> Iterator[str]:
    if answer.status == "inconclusive" and not told.has(INCONCLUSIVE):
        yield "[yellow]Inconclusive: more has to be known first.[/yellow]"
    if answer.root_cause and not told.has(answer.root_cause):
        yield from _section("Root cause", [escape(answer.root_cause)])
    findings = told.new(answer.findings, lambda finding: finding.message)
    yield from _section("Findings", _findings(findings))
    checked = " (checked)" if told else ""
    yield from _section(f"Evidence{checked}", _evidence(told.new(answer.evidence, evidence_line)))
    yield from _section("Next steps", _numbered(told.new(answer.next_steps, str)))
    yield from _section(f"Commands{checked}", _commands(told.new(answer.commands, command_line)))
    yield from _section("Recommendations", _numbered(told.new(answer.recommendations, str)))
    missing = told.new(answer.missing_information, lambda item: item.what)
    yield from _section("Missing information", _missing(missing))
    yield from _footer(answer)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"[bold]{title}[/bold]"
        yield from (f"  {line}" for line in lines)
        yield ""


def _findings(findings: Iterable[Finding]) -> list[str]:
    return [f"{finding.severity}: {escape(finding.message)}" for finding in findings]


def _evidence(evidence: Iterable[Evidence]) -> list[str]:
    lines = []
    for item in evidence:
        quote = escape(" ".join(item.quote.split()))
        where = f" ({escape(str(item.source))}, line {item.line})" if item.source else ""
        found = f"[green]✓[/green] {quote}{where}"
        lines.append(found if item.verified else f"[red]✗[/red] {quote} (not in what you sent)")
    return lines


def _commands(commands: Iterable[Command]) -> list[str]:
    lines = []
    for item in commands:
        colour, safety = _SAFETY[item.safety]
        lines.append(f"[{colour}]{escape(item.command)}[/{colour}]")
        lines.append(f"    {safety}; {escape(item.description)}")
    return lines


def _missing(missing: Iterable[MissingInformation]) -> list[str]:
    return [f"{escape(item.what)}: {escape(item.how)} ({escape(item.why)})" for item in missing]


def _numbered(texts: list[str]) -> list[str]:
    return [f"{number}. {escape(text)}" for number, text in enumerate(texts, start=1)]


def _footer(answer: TroubleshootResponse) -> Iterator[str]:
    confidence = answer.confidence
    asked = f"{confidence.threshold:.2f} asked for"
    if confidence.below_threshold:
        yield f"[yellow]Confidence {confidence.score:.2f}, below the {asked}[/yellow]"
    else:
        yield f"Confidence {confidence.score:.2f} ({asked})"
    tries = " → ".join(f"{attempt.provider} {attempt.outcome}" for attempt in answer.attempts)
    seconds = answer.response_time_ms / 1000
    yield f"Answered by {escape(answer.provider)} ({escape(answer.model)}) in {seconds:.1f} s"
    yield f"Attempts: {escape(tries)}"
    yield f"Session: {escape(answer.session_id)}"
    for warning in answer.warnings:
        yield f"[yellow]Note: {escape(warning)}[/yellow]"
