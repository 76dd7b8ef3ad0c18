"""An answer in JSON becomes Markdown a person can read; other answers stay as they are."""

from __future__ import annotations

import pytest

from faultmaven.models.api import Command, Evidence, Finding, MissingInformation
from faultmaven.services.diagnosis import AnswerForm, Diagnosis, read_diagnosis, to_markdown

_FULL = Diagnosis(
    AnswerForm.JSON,
    "{}",
    summary="It is out of memory.",
    root_cause="The heap is too large.",
    findings=(
        Finding(type="memory", message="Killed.", severity="high", evidence="OOMKilled"),
        Finding(type="memory", message="Leaks.", severity="low", evidence=None),
    ),
    next_steps=("First.", "Second."),
    recommendations=("Later.",),
    commands=(
        Command(command="kubectl get pods", description="Lists.", safety="read_only"),
        Command(command="rm `which x`", description="", safety="destructive"),
    ),
    missing=(MissingInformation(what="usage", how="metrics", why=""),),
)
_EVIDENCE = (
    Evidence(quote="OOMKilled", source="attachment:a.log", line=3, verified=True),
    Evidence(quote="prod", source="context", line=None, verified=True),
    Evidence(quote="invented", source=None, line=None, verified=False),
)


def test_json_is_written_out_for_a_person() -> None:
    """Every part is there, opinions, unverified quotes and dangers are said."""
    assert to_markdown(_FULL, _EVIDENCE) == (
        "It is out of memory.\n\n"
        "## Root cause\n\nThe heap is too large.\n\n"
        "## Findings\n\n- **high**: Killed.\n"
        "- **low**: Leaks. (opinion: no evidence in the input)\n\n"
        "## Evidence\n\n- `OOMKilled` (attachment:a.log, line 3)\n- `prod` (context)\n"
        "- `invented` (not found in the input)\n\n"
        "## Next steps\n\n1. First.\n2. Second.\n\n"
        "## Commands\n\n- `kubectl get pods` (only looks): Lists.\n"
        "- `` rm `which x` `` (**destructive**)\n\n"
        "## Recommendations\n\n- Later.\n\n"
        "## Missing information\n\n- **usage**; metrics"
    )


def test_empty_parts_leave_no_heading() -> None:
    """A short answer is short."""
    short = Diagnosis(AnswerForm.JSON, "{}", summary="Yes.", inconclusive=True)

    assert to_markdown(short, ()) == (
        "Yes.\n\n**What was sent does not suffice for a sure answer.**"
    )


@pytest.mark.parametrize("form", [AnswerForm.MARKDOWN, AnswerForm.FREE])
def test_other_answers_are_served_as_they_are(form: AnswerForm) -> None:
    """What is readable already is not rewritten."""
    assert to_markdown(Diagnosis(form, " as *it* was \n", summary="s"), _EVIDENCE) == "as *it* was"


def test_what_was_written_can_be_read_again() -> None:
    """The written form has the headings that the reader knows."""
    again = read_diagnosis(to_markdown(_FULL, _EVIDENCE))

    assert again.root_cause == _FULL.root_cause
    assert again.next_steps == _FULL.next_steps
    assert [command.command for command in again.commands][:1] == ["kubectl get pods"]
