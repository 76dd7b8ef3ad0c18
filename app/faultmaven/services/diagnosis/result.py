"""What a model found out, in nobody's wire format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from faultmaven.models.api import Command, Finding, MissingInformation


class AnswerForm(StrEnum):
    """The form an answer came in; narrow is the JSON a small model is held to."""

    JSON = "json"
    NARROW = "narrow"
    MARKDOWN = "markdown"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One answer, taken apart as far as it could be.

    Attributes:
        form: how it was written.
        text: the answer as the model wrote it.
        summary: the answer in a few sentences; may be empty.
        root_cause: the cause; empty where the model found none.
        findings: what was noticed.
        quotes: words of the input the model rests on, not verified yet.
        recommendations: what keeps the fault from coming back.
        next_steps: what to do now, in order.
        commands: commands to run, with the model's word on their safety.
        missing: what to collect.
        inconclusive: whether the model says that the input does not suffice.
    """

    form: AnswerForm
    text: str
    summary: str = ""
    root_cause: str = ""
    findings: tuple[Finding, ...] = ()
    quotes: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    missing: tuple[MissingInformation, ...] = ()
    inconclusive: bool = False

    @property
    def is_telling(self) -> bool:
        """Whether it says anything that helps."""
        return bool(self.summary or self.root_cause or self.findings or self.missing)
