"""Print an answer for a person: what is known, how well, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.markup import escape

from faultmaven.cli.console import out

if TYPE_CHECKING:
    from faultmaven.models.api import TroubleshootResponse

_SAFETY = {
    "read_only": ("green", "reads only"),
    "changes_state": ("yellow", "changes state"),
    "destructive": ("red", "destructive"),
}


def show(answer: TroubleshootResponse) -> None:
    """Print the parts that the answer has; one without parts is printed as its text."""
    structured = bool(answer.findings or answer.root_cause or answer.evidence)
    if not structured:
        out().print(answer.response, markup=False)
    for line in _lines(answer):
        out().print(line)


def _lines(answer: TroubleshootResponse) -> Iterator[str]:
    if answer.status == "inconclusive":
        yield "[yellow]Inconclusive: more has to be known first.[/yellow]"
    if answer.root_cause:
        yield from _section("Root cause", [escape(answer.root_cause)])
    yield from _section("Findings", _findings(answer))
    yield from _section("Evidence", _evidence(answer))
    yield from _section("Next steps", _numbered(answer.next_steps))
    yield from _section("Commands", _commands(answer))
    yield from _section("Recommendations", _numbered(answer.recommendations))
    yield from _section("Missing information", _missing(answer))
    yield from _footer(answer)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"[bold]{title}[/bold]"
        yield from (f"  {line}" for line in lines)
        yield ""


def _findings(answer: TroubleshootResponse) -> list[str]:
    return [f"{finding.severity}: {escape(finding.message)}" for finding in answer.findings]


def _evidence(answer: TroubleshootResponse) -> list[str]:
    lines = []
    for item in answer.evidence:
        quote = escape(" ".join(item.quote.split()))
        where = f" ({escape(str(item.source))}, line {item.line})" if item.source else ""
        found = f"[green]✓[/green] {quote}{where}"
        lines.append(found if item.verified else f"[red]✗[/red] {quote} (not in what you sent)")
    return lines


def _commands(answer: TroubleshootResponse) -> list[str]:
    lines = []
    for item in answer.commands:
        colour, safety = _SAFETY[item.safety]
        lines.append(f"[{colour}]{escape(item.command)}[/{colour}]")
        lines.append(f"    {safety}; {escape(item.description)}")
    return lines


def _missing(answer: TroubleshootResponse) -> list[str]:
    return [
        f"{escape(item.what)}: {escape(item.how)} ({escape(item.why)})"
        for item in answer.missing_information
    ]


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
