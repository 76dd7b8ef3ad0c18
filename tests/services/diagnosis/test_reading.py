"""Any answer becomes a diagnosis, the better formed the fuller."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.models.api import Command, Finding, MissingInformation
from faultmaven.services.diagnosis import AnswerForm, full_schema, read_diagnosis

_ANSWER = {
    "evidence": ["OOMKilled", "memory: 256Mi"],
    "summary": "The heap is larger than the container.",
    "root_cause": "-Xmx512m above a limit of 256Mi.",
    "status": "completed",
    "findings": [
        {"type": "memory", "message": "Killed.", "severity": "critical", "evidence": "OOMKilled"}
    ],
    "next_steps": ["Raise the limit."],
    "commands": [
        {"command": "kubectl top pod", "description": "Shows memory.", "safety": "read_only"}
    ],
    "recommendations": ["Use MaxRAMPercentage."],
    "missing_information": [{"what": "usage", "how": "metrics", "why": "to size it"}],
}
_JSON = json.dumps(_ANSWER)

_MARKDOWN = """\
## Summary
The heap is larger than the container.

## Root cause
-Xmx512m above a limit of 256Mi.

## Evidence
- `OOMKilled`
- "memory: 256Mi"

## Findings
- [critical] Killed: `OOMKilled`

## Next steps
1. Raise the limit.
2. Watch it
   for ten minutes.

## Commands
- `kubectl top pod` (read_only): shows memory
- `kubectl delete pod x` (destructive) - restarts it

## Recommendations
- Use MaxRAMPercentage.

## Missing information
- usage | metrics | to size it

## Status
completed
"""


@pytest.mark.parametrize(
    "text",
    [
        _JSON,
        f"  {_JSON}\n",
        f"```json\n{_JSON}\n```",
        f"Here you are:\n```\n{_JSON}\n```\nGood luck!",
        f"Sure. {_JSON} Anything else?",
        f"The set {{a, b}} is odd. {_JSON}",
        json.dumps(_ANSWER, indent=2).replace("\n]", ",\n]").replace('"\n  }', '",\n  }'),
        json.dumps({"rootCause" if k == "root_cause" else k: v for k, v in _ANSWER.items()}),
        json.dumps({k.upper().replace("_", " "): v for k, v in _ANSWER.items()}),
    ],
    ids=[
        "bare",
        "padded",
        "fenced",
        "fenced-in-text",
        "in-text",
        "brace",
        "commas",
        "camel",
        "caps",
    ],
)
def test_json_is_read_however_it_is_wrapped(text: str) -> None:
    """Fences, prose around, trailing commas and other spellings of names change nothing."""
    found = read_diagnosis(text)

    assert found.form is AnswerForm.JSON
    assert found.text == text
    assert found.summary == _ANSWER["summary"]
    assert found.root_cause == _ANSWER["root_cause"]
    assert found.quotes == ("OOMKilled", "memory: 256Mi")
    assert found.findings == (
        Finding(type="memory", message="Killed.", severity="critical", evidence="OOMKilled"),
    )
    assert found.next_steps == ("Raise the limit.",)
    assert found.commands == (
        Command(command="kubectl top pod", description="Shows memory.", safety="read_only"),
    )
    assert found.recommendations == ("Use MaxRAMPercentage.",)
    assert found.missing == (MissingInformation(what="usage", how="metrics", why="to size it"),)
    assert not found.inconclusive


def test_json_of_wrong_types_gives_what_can_be_had() -> None:
    """Strings for lists, strings for objects, unknown words and nulls are taken leniently."""
    found = read_diagnosis(
        json.dumps(
            {
                "summary": 7,
                "root_cause": None,
                "evidence": "one quote",
                "findings": ["plain", {"message": "m", "severity": "WARNING"}, {"type": "x"}, 3],
                "commands": ["`$ ls -l`", {"command": "rm x", "safety": "READ ONLY"}, None],
                "missing_information": {"what": "logs"},
                "next_steps": [None, " a ", {"step": "b"}],
                "unknown": [1],
            }
        )
    )

    assert (found.summary, found.root_cause, found.quotes) == ("7", "", ("one quote",))
    assert [finding.message for finding in found.findings] == ["plain", "m", "3"]
    assert {finding.severity for finding in found.findings} == {"medium"}
    assert [command.command for command in found.commands] == ["ls -l", "rm x"]
    assert found.missing[0].what == "logs"
    assert found.next_steps == ("a", "b")


@pytest.mark.parametrize("cut", range(140, len(_JSON), 7))
def test_cut_json_keeps_what_was_whole(cut: int) -> None:
    """An answer that ran into its length limit still tells what it had finished."""
    found = read_diagnosis(_JSON[:cut])

    assert found.form is AnswerForm.JSON
    assert found.summary == _ANSWER["summary"]
    assert found.quotes == ("OOMKilled", "memory: 256Mi")


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": 42}',
        "[]",
        "{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        f'{{"summary": {"9" * 5000}}}',
        "just words",
        "",
        " \n",
        "## Title\ntext without our headings",
        "Summary of the day: nothing.",
    ],
    ids=range(11),
)
def test_what_is_no_diagnosis_is_served_as_it_is(text: str) -> None:
    """Text in no form asked for is still an answer, with nothing but its text."""
    found = read_diagnosis(text)

    assert found.form is AnswerForm.FREE
    assert found.text == text
    assert not found.is_telling


@pytest.mark.parametrize(
    "text",
    [
        _MARKDOWN,
        _MARKDOWN.replace("## ", "# "),
        _MARKDOWN.replace("## ", "#### ").upper().replace("READ_ONLY", "read_only"),
        _MARKDOWN.replace("## Summary", "**Summary**").replace("## Evidence", "**Evidence:**"),
        _MARKDOWN.replace("## Root cause\n", "**Root cause:** "),
        _MARKDOWN.replace("## Next steps", "5. **Next steps**"),
        _MARKDOWN.replace("## Commands", "Commands:").replace("## Status\n", "Status: "),
        f"Preamble.\n\n{_MARKDOWN}\n## Background\n- `rm -rf /` stands in no section of ours\n",
    ],
    ids=["plain", "level-1", "caps", "bold", "same-line", "numbered", "colons", "other-heading"],
)
def test_headings_are_read_whatever_their_dress(text: str) -> None:
    """Level, case, bold, numbers and colons of headings do not matter."""
    found = read_diagnosis(text)

    assert found.form is AnswerForm.MARKDOWN
    assert found.summary.lower() == str(_ANSWER["summary"]).lower()
    assert found.root_cause.lower() == str(_ANSWER["root_cause"]).lower()
    assert [quote.lower() for quote in found.quotes] == ["oomkilled", "memory: 256mi"]
    assert found.findings[0].severity == "critical"
    assert found.next_steps[1].lower() == "watch it for ten minutes."
    assert [command.safety for command in found.commands] == ["read_only", "destructive"]
    assert found.commands[1].description.lower() == "restarts it"
    assert found.missing[0].why.lower() == "to size it"
    assert len(found.recommendations) == 1
    assert not found.inconclusive


def test_commands_are_read_from_code_blocks_too() -> None:
    """Fenced lines are commands, comments and prose are not."""
    found = read_diagnosis(
        "## Summary\nx\n## Commands\n```sh\n# look first\n$ kubectl get pods\nls -l\n```\n"
        "- restart everything\n- df -h\n"
    )

    assert [command.command for command in found.commands] == ["kubectl get pods", "ls -l", "df -h"]


def test_heading_within_a_code_block_is_none() -> None:
    """A comment in a script does not start a section."""
    found = read_diagnosis("## Summary\nx\n## Next steps\n```\n# Evidence\n```\n- a\n")

    assert found.quotes == ()
    assert "a" in " ".join(found.next_steps)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"summary": "s", "status": "inconclusive"}),
        json.dumps({"summary": "s", "status": "The result is INCONCLUSIVE."}),
        json.dumps({"evidence": [], "root_cause": "", "next_steps": [], "findings": ["odd"]}),
        '{"summary": "", "root_cause": " ", "evidence": ["x"]}',
        '{"explanation": "", "evidence": [], "next_steps": []}',
        "## Summary\ns\n## Status\n**Inconclusive**\n",
    ],
)
def test_inconclusive_is_understood(text: str) -> None:
    """The model's word counts; where it is not asked, naming no cause means the same."""
    found = read_diagnosis(text)

    assert found.inconclusive
    assert found.form is not AnswerForm.FREE


@pytest.mark.parametrize(
    ("explanation", "cause"),
    [
        ("The heap is too large.", "The heap is too large."),
        ("One. Two! " + "x" * 320, "One. Two!"),
        ("word-" * 10 + " more" * 60, "word-" * 10 + " more" * 53 + " ..."),
        ("x" * 319 + ".", "x" * 319 + "."),
    ],
)
def test_small_models_explanation_is_the_cause(explanation: str, cause: str) -> None:
    """A sentence that ran into the schema's limit is left out."""
    found = read_diagnosis(json.dumps({"explanation": explanation[:320], "evidence": []}))

    assert (found.form, found.root_cause) == (AnswerForm.NARROW, cause)
    assert not found.inconclusive


def test_nothing_is_read_as_nothing() -> None:
    """Sections that say none hold nothing."""
    found = read_diagnosis("## Summary\nx\n## Commands\nNone.\n## Missing information\n- n/a\n")

    assert found.commands == ()
    assert found.missing == ()


_PIECES = st.sampled_from(
    [
        *(
            "{",
            "}",
            "[",
            "]",
            '"',
            ":",
            ",",
            "\\",
            "`",
            "```",
            "```json\n",
            "\n",
            "- ",
            "1. ",
            "# ",
        ),
        *(
            "## Summary\n",
            "**Root cause:** ",
            "## Evidence\n",
            "Commands:\n",
            '"summary"',
            "\u201c",
        ),
        *(f'"{name}":' for name in full_schema()["properties"]),
        *("null", "1e999", "NaN", "-", "|", "(destructive)", "[high] ", "\ud800", "inconclusive"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=10), max_size=25).map("".join))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Whatever a model writes is a diagnosis, and never an error."""
    assert read_diagnosis(text).text == text


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*full_schema()["properties"], "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_breaks_the_reading(value: object) -> None:
    """JSON of any shape, our field names in any place, is read without an error."""
    text = json.dumps(value)

    assert read_diagnosis(text).text == text


@pytest.mark.parametrize(
    "piece",
    ["{", '{"a":', "[", "```\n", "`", "\u201c", '"', "*", "- x\n", "# x\n", ",  ", '{"summary":"'],
)
def test_long_answers_are_read_quickly(piece: str) -> None:
    """No answer makes the reading slow: the work grows with its length, not its square."""
    text = piece * (100_000 // len(piece))
    started = time.process_time()

    read_diagnosis(text)

    # Usually below 0.3 s; anything quadratic takes minutes.
    assert time.process_time() - started < 5
