"""A structured answer written out for a person while its JSON arrives (pure).

The sections are those of the finished Markdown, each as soon as it can stand: prose and steps
word by word, all else item by item. Evidence waits for the findings, as it does there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from faultmaven.models.api import Command, Evidence, Finding
from faultmaven.services.diagnosis.evidence import MOST_QUOTES
from faultmaven.services.diagnosis.from_json import field_name, read_fields
from faultmaven.services.diagnosis.result import Diagnosis
from faultmaven.services.diagnosis.settling import supported
from faultmaven.services.diagnosis.to_markdown import (
    INCONCLUSIVE,
    command_line,
    evidence_line,
    finding_line,
    missing_line,
    paragraphs,
)
from faultmaven.services.live_json import Part
from faultmaven.services.live_prose import LiveProse

_PROSE = {"summary": "Summary", "root_cause": "Root cause", "explanation": "Root cause"}
_STEPS = {"next_steps": "Next steps", "recommendations": "Recommendations"}
_UNTITLED = frozenset({"Summary", "Inconclusive"})
_BEFORE_EVIDENCE = frozenset({"Summary", "Inconclusive", "Root cause", "Findings", "Evidence"})


class IDesk(Protocol):
    """What is known of the question that an answer is about."""

    @property
    def has_signs(self) -> bool:
        """Whether anything that was sent may be the sign of a fault."""
        ...

    def verify(self, quotes: Iterable[str]) -> tuple[Evidence, ...]:
        """Look quotes up in what was sent."""
        ...

    def settled(self, command: Command) -> Command:
        """The command with its description and its safety as we stand by them."""
        ...


class LiveSections:
    """Writes an answer's fields as they come; what was written is never taken back.

    Args:
        desk: what evidence and commands are judged by.
        preface: whether something stands before it already.
    """

    def __init__(self, desk: IDesk, *, preface: bool = False) -> None:
        self._desk = desk
        self._told = ["Preface"] if preface else []  # titles, in order
        self._items = 0  # of the last section
        self._slot: tuple[str, int] | None = None  # the element whose text is running
        self._prose = LiveProse()
        self._summary = ""
        self._evidence: dict[str, Evidence] = {}
        self._commands: set[str] = set()
        self._muted = False

    @property
    def begun(self) -> bool:
        """Whether anything stands there."""
        return bool(self._told)

    def write(self, parts: Iterable[Part]) -> str:
        """What these parts add."""
        return "".join(self._write(part) for part in parts)

    def end(self) -> str:
        """What waited for more: nothing more comes."""
        if "Evidence" in self._told:
            return ""
        quoted = list(self._evidence.values())[:MOST_QUOTES]
        return "".join(self._item("Evidence", evidence_line(quote)) for quote in quoted)

    def rest(self, diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> str:
        """The sections of the finished answer that have not been written."""
        text = ""
        for title, paragraph in paragraphs(diagnosis, evidence):
            if title not in self._told:
                text += ("\n\n" if self._told else "") + paragraph
                self._told.append(title)
        return text

    def _write(self, part: Part) -> str:
        field = field_name(part.field)
        # A small model explains a fault that nothing announces; in the end that is not shown.
        self._muted |= field == "explanation" and not self._desk.has_signs
        if self._muted:
            return ""
        if field in _PROSE and part.place == 0:
            return self._running(field, _PROSE[field], part)
        if field in _STEPS and (part.text or isinstance(part.value, str)):
            return self._running(field, _STEPS[field], part)
        return "".join(self._lines(field, part.value)) if part.ended else ""

    def _running(self, field: str, title: str, part: Part) -> str:
        """A text on its way; a cause that is the summary over again is left out."""
        if self._slot != (field, part.place):
            self._slot = (field, part.place)
            self._prose = LiveProse(self._summary if title == "Root cause" else "")
        follows = self._prose.begun
        text = self._prose.feed(part.text, ended=part.ended)
        if part.ended:
            self._slot = None
        if not text or not self._is_open(title, follows=follows, listed=field in _STEPS):
            return ""
        if title == "Summary":
            self._summary += text
        if follows:
            return text
        return self._item(title, text) if field in _STEPS else self._head(title) + text

    def _is_open(self, title: str, *, follows: bool, listed: bool) -> bool:
        """Whether a section may go on or begin: each stands there once."""
        is_last = self._told[-1:] == [title]
        return is_last if follows else (title not in self._told or (listed and is_last))

    def _lines(self, field: str, value: Any) -> Iterator[str]:
        """What a whole element adds."""
        if field == "status":
            if "inconclusive" in str(value).lower() and "Inconclusive" not in self._told:
                yield self._head("Inconclusive") + INCONCLUSIVE
            return
        found = read_fields({field: value})
        self._look_up(found.quotes)
        for finding in found.findings:
            yield self._item("Findings", finding_line(self._supported(finding)))
        for command in found.commands:
            if command.command not in self._commands:
                self._commands.add(command.command)
                yield self._item("Commands", command_line(self._desk.settled(command)))
        for missing in found.missing:
            yield self._item("Missing information", missing_line(missing))
        if field in _STEPS:
            steps = (*found.next_steps, *found.recommendations)
            yield from (self._item(_STEPS[field], step) for step in steps)

    def _supported(self, finding: Finding) -> Finding:
        if finding.evidence:
            self._look_up((finding.evidence,))
        verified = [quote for quote, found in self._evidence.items() if found.verified]
        return supported(finding, verified)

    def _look_up(self, quotes: Iterable[str]) -> None:
        for found in self._desk.verify(quotes):
            self._evidence.setdefault(found.quote, found)

    def _item(self, title: str, line: str) -> str:
        if self._told[-1:] == [title]:
            head = "\n"
        elif title in self._told:
            return ""
        else:
            head = self._head(title)
        self._items += 1
        mark = f"{self._items}." if title == "Next steps" else "-"
        return f"{head}{mark} {line}"

    def _head(self, title: str) -> str:
        """What stands between the section before and this one's first words."""
        held = "" if title in _BEFORE_EVIDENCE else self.end()
        gap = "\n\n" if self._told else ""
        self._told.append(title)
        self._items = 0
        return held + gap + ("" if title in _UNTITLED else f"## {title}\n\n")
