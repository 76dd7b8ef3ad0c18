"""What we stand by: safety of commands, evidence of findings, what to collect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faultmaven.knowledge.library import Runbook, load_runbooks
from faultmaven.models.api import Command, Evidence, Finding, MissingInformation, Safety
from faultmaven.services.diagnosis import AnswerForm, Diagnosis
from faultmaven.services.diagnosis.settling import grounded, settle

_RUNBOOK: Runbook = next(r for r in load_runbooks() if r.id == "kubernetes-oomkilled")


def _with_command(command: str, safety: Safety, description: str = "") -> Diagnosis:
    entry = Command(command=command, description=description, safety=safety)
    return Diagnosis(AnswerForm.JSON, "", summary="s", root_cause="r", commands=(entry,))


@pytest.mark.parametrize(
    ("command", "claimed", "settled"),
    [
        ("kubectl delete pod x", "read_only", "destructive"),
        ("kubectl get pods", "read_only", "read_only"),
        ("kubectl get pods", "changes_state", "changes_state"),
        ("frobnicate", "read_only", "changes_state"),
        ("frobnicate", "destructive", "destructive"),
    ],
)
def test_the_more_careful_reading_wins(command: str, claimed: Safety, settled: Safety) -> None:
    """A model cannot talk a command harmless."""
    (found,) = settle(_with_command(command, claimed), [], query="").commands

    assert found.safety == settled


def test_command_of_a_runbook_is_what_the_runbook_says() -> None:
    """Its author's safety and description serve where the model only chose it."""
    entry = _RUNBOOK.commands[-1]
    (found,) = settle(
        _with_command(entry.command, "read_only"), [], query="", runbooks=[_RUNBOOK]
    ).commands

    assert (found.safety, found.description) == (entry.safety, entry.description)

    (said,) = settle(
        _with_command(entry.command, "read_only", "mine"), [], query="", runbooks=[_RUNBOOK]
    ).commands
    assert said.description == "mine"


def test_finding_keeps_only_evidence_that_stands_in_the_input() -> None:
    """A finding whose quote was invented becomes an opinion."""
    findings = tuple(
        Finding(type="t", message="m", severity="low", evidence=quote)
        for quote in ("Exit  Code: 137", "Code: 137", "invented", None)
    )
    evidence = [
        Evidence(quote="Exit Code: 137", source="query", line=1, verified=True),
        Evidence(quote="invented", source=None, line=None, verified=False),
    ]
    diagnosis = Diagnosis(AnswerForm.JSON, "", summary="s", findings=findings)

    settled = settle(diagnosis, evidence, query="").findings

    assert [finding.evidence for finding in settled] == ["Exit  Code: 137", "Code: 137", None, None]


def test_inconclusive_answer_says_what_to_collect() -> None:
    """Where the model leaves it out, the runbook and common sense say it, with how and why."""
    diagnosis = Diagnosis(AnswerForm.JSON, "", summary="s", inconclusive=True)

    with_runbook = settle(diagnosis, [], query="", runbooks=[_RUNBOOK]).missing
    without = settle(diagnosis, [], query="").missing

    assert [item.what for item in with_runbook][: len(_RUNBOOK.missing)] == [
        item.what for item in _RUNBOOK.missing
    ]
    for item in (*with_runbook, *without):
        assert item.what
        assert item.how
        assert item.why


def test_models_own_list_is_kept() -> None:
    """What the model asks for is not replaced, and a sure answer asks for nothing."""
    own = (MissingInformation(what="w", how="h", why="y"),)
    diagnosis = Diagnosis(AnswerForm.JSON, "", summary="s", missing=own, inconclusive=True)

    assert settle(diagnosis, [], query="", runbooks=[_RUNBOOK]).missing == own
    sure = replace(diagnosis, missing=(), inconclusive=False, root_cause="r")
    assert settle(sure, [], query="", runbooks=[_RUNBOOK]).missing == ()


def test_naming_what_is_missing_and_no_cause_is_inconclusive() -> None:
    """The status follows from the content where the model did not set it."""
    own = (MissingInformation(what="w", how="h", why="y"),)
    open_ended = Diagnosis(AnswerForm.MARKDOWN, "", summary="s", missing=own)

    assert settle(open_ended, [], query="").inconclusive
    assert not settle(replace(open_ended, root_cause="r"), [], query="").inconclusive


@pytest.mark.parametrize(
    ("cause", "query", "kept"),
    [
        (
            "The app is slow sometimes. What is wrong?",
            "The app is slow  sometimes. What is wrong?",
            "",
        ),
        ("The app is slow sometimes.", "The app is slow sometimes. What is it?", ""),
        (
            "FATAL: disk full",
            "See:\n" + "quiet line\n" * 9 + "FATAL: disk full",
            "FATAL: disk full",
        ),
        ("The pool is too large.", "Why?", "The pool is too large."),
    ],
)
def test_cause_that_repeats_the_question_is_none(cause: str, query: str, kept: str) -> None:
    """An echo is no diagnosis; a line of a pasted log may well be one."""
    settled = settle(Diagnosis(AnswerForm.JSON, "", root_cause=cause), [], query=query)

    assert settled.root_cause == kept
    assert settled.inconclusive == (not kept)


def test_command_is_suggested_once() -> None:
    """A model that repeats itself does not fill the list."""
    command = Command(command="ls", description="", safety="read_only")
    again = Diagnosis(AnswerForm.JSON, "", root_cause="r", commands=(command, command))

    assert settle(again, [], query="").commands == (command,)


def test_small_models_explanation_of_nothing_is_dropped() -> None:
    """Where the input announces no fault, what is left says what to collect."""
    narrow = Diagnosis(AnswerForm.NARROW, "{}", root_cause="Too many queries.", next_steps=("x",))

    settled = settle(grounded(narrow, has_signs=False), [], query="It is slow.")

    assert settled.inconclusive
    assert (settled.root_cause, settled.next_steps) == ("", ())
    assert settled.missing
    assert grounded(narrow, has_signs=True) is narrow


def test_larger_models_may_answer_without_signs() -> None:
    """They are asked whether the input suffices, and say so themselves."""
    free = Diagnosis(AnswerForm.JSON, "{}", root_cause="It is always DNS.")

    assert grounded(free, has_signs=False) is free
