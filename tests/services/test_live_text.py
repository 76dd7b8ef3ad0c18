"""An answer in pieces becomes text for a person, and never has to be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from faultmaven.models.api import Command, Evidence, TroubleshootRequest
from faultmaven.models.plain_text import first_unfit, strip_invisible
from faultmaven.services.inquiry import Inquiry
from faultmaven.services.live_json import JsonFields
from faultmaven.services.live_text import LiveText
from faultmaven.services.plain_stream import PlainStream
from faultmaven.services.sanitizer import Sanitizer

LOG = "12:00 java.lang.OutOfMemoryError: heap\n12:01 container limit 512Mi\n12:02 exit code 137"
FULL: dict[str, Any] = {
    "evidence": ["java.lang.OutOfMemoryError: heap", "never said"],
    "summary": "The heap is larger than the container.",
    "root_cause": "A heap of 1 GiB in 512Mi.\n\nIt never \u201cfitted\u201d \U0001f600.",
    "status": "completed",
    "findings": [
        {"type": "m", "message": "Killed.", "severity": "high", "evidence": "exit code 137"},
        {"type": "m", "message": "Leaks.", "severity": "low", "evidence": ""},
    ],
    "next_steps": ["Raise the limit.", "Then look again."],
    "commands": [
        {"command": "kubectl get pods", "description": "Lists.", "safety": "read_only"},
        {"command": "rm -rf /var/lib/app", "description": "Clears.", "safety": "read_only"},
    ],
    "recommendations": ["Size the heap by the container."],
    "missing_information": [{"what": "usage", "how": "metrics", "why": "to be sure"}],
}
NARROW: dict[str, Any] = {
    "explanation": "The heap is larger than the container.",
    "evidence": ["12:02 exit code 137"],
    "next_steps": ["Raise the limit."],
    "commands": [{"command": "kubectl get pods"}],
}


def inquiry(query: str = LOG) -> Inquiry:
    """Give a question about a log."""
    return Inquiry(
        TroubleshootRequest(session_id="s", query=query), sanitizer=Sanitizer(), runbooks=()
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown after each piece, at the end, and what the finished answer is."""

    pieces: tuple[str, ...]
    rest: str
    final: str

    @property
    def live(self) -> str:
        """All that came while it was being written."""
        return "".join(self.pieces)

    @property
    def whole(self) -> str:
        """All that was shown."""
        return self.live + self.rest


def show(pieces: Iterable[str], *, query: str = LOG) -> Shown:
    """Translate an answer in these pieces."""
    told = list(pieces)
    about = inquiry(query)
    text = LiveText(about)
    shown = [text.feed(piece) for piece in told]
    shown.append(text.end())
    reading = about.read(Sanitizer().clean("".join(told)))
    return Shown(
        tuple(shown), text.rest(reading.diagnosis, reading.evidence), final=reading.markdown
    )


def cut(text: str, places: Sequence[int]) -> list[str]:
    """Cut a text at places."""
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def in_threes(text: str) -> list[str]:
    """Cut a text as tokens would."""
    return [text[place : place + 3] for place in range(0, len(text), 3)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("fence", ["", "```json\n", "```\n", "\n\n "])
@pytest.mark.parametrize("answer", [FULL, NARROW])
def test_json_is_written_out_as_the_finished_answer_has_it(
    answer: dict[str, Any], fence: str, indent: int | None
) -> None:
    """Sections, order, checked evidence and our own reading of commands: the same text."""
    shown = show(in_threes(fence + json.dumps(answer, indent=indent)))
    assert shown.live == shown.final
    assert shown.rest == ""
    assert "```" not in shown.live


def test_words_are_shown_while_they_come() -> None:
    """Prose and steps grow piece by piece; nobody waits for the end of a field."""
    shown = show(in_threes(json.dumps(FULL)))
    prefixes = list(accumulate(shown.pieces))
    for text in (FULL["summary"], FULL["next_steps"][0], FULL["recommendations"][0]):
        begun = text[: len(text) // 2]
        assert any(begun in prefix and text not in prefix for prefix in prefixes)


def test_evidence_is_checked_before_it_is_shown() -> None:
    """A quote comes with its place, or with the word that it stands nowhere, after the findings."""
    live = show([json.dumps(FULL)]).live
    assert "- `java.lang.OutOfMemoryError: heap` (query, line 1)" in live
    assert "- `never said` (not found in the input)" in live
    assert live.index("## Findings") < live.index("## Evidence") < live.index("## Next steps")
    assert "Leaks. (opinion: no evidence in the input)" in live
    assert "`rm -rf /var/lib/app` (**destructive**)" in live


def test_an_explanation_of_nothing_is_not_shown() -> None:
    """What a small model makes of a question without signs is withheld, as in the end."""
    shown = show(in_threes(json.dumps(NARROW)), query="hello")
    assert shown.live == ""
    assert shown.rest == shown.final
    assert "larger than the container" not in shown.rest


def test_a_cause_that_is_the_summary_is_said_once() -> None:
    """It is held back for as long as it may still differ."""
    again = {"summary": "The disk is full.", "root_cause": "The disk is full.", "status": "x"}
    differs = {**again, "root_cause": "The disk is full of logs."}
    assert show(in_threes(json.dumps(again))).live == "The disk is full."
    assert show(in_threes(json.dumps(differs))).live.endswith("The disk is full of logs.")


def test_what_is_missing_follows_in_the_end() -> None:
    """Sections that only the finished answer has are appended, none is repeated."""
    shown = show(in_threes(json.dumps({"summary": "Cannot tell.", "status": "inconclusive"})))
    assert shown.live == "Cannot tell.\n\n**What was sent does not suffice for a sure answer.**"
    assert shown.rest.startswith("\n\n## Missing information\n\n- **")
    assert shown.whole == shown.final


@pytest.mark.parametrize(
    "text",
    [
        "It is the disk.",
        "\n## Summary\nThe disk.\n## Root cause\nLogs.\n## Commands\n- `df -h`: shows it\n",
        'Look:\n```json\n{"status": 500, "summary_id": 1}\n```\nThat is the error.',
        'Look:\n  {"level": "error"}\nThat is the error.',
        "`df` shows it.\n``` \nno json\n```\n",
        '{"level": "error", half of a log line',
        "[1, 2]",
    ],
)
def test_other_text_passes_as_it_is(text: str) -> None:
    """Markdown and free text are for people already, code and logs in it included."""
    shown = show(in_threes(text))
    assert shown.whole == shown.final == text.strip()


def test_a_preface_stays_and_the_json_after_it_is_written_out() -> None:
    """Some models speak before they answer."""
    text = "Here is my analysis:\n\n```json\n" + json.dumps(FULL, indent=1) + "\n```\nDone."
    shown = show(in_threes(text))
    assert shown.whole == "Here is my analysis:\n\n" + shown.final


def test_json_that_says_nothing_we_know_is_shown_whole_in_the_end() -> None:
    """Nothing is lost, whatever the model makes of its form."""
    text = json.dumps({"answer": "It is the disk."})
    shown = show(in_threes(text))
    assert (shown.live, shown.rest) == ("", text)


def test_a_cut_answer_shows_what_came() -> None:
    """What was shown of half an object is the start of what it would have been."""
    text = json.dumps(FULL)
    whole = show([text]).live
    for end in range(0, len(text), 7):
        about = LiveText(inquiry())
        assert whole.startswith(about.feed(text[:end]))


_WORDS = st.text(
    st.one_of(
        st.sampled_from(' \n\t"\\`{}[]:,#*-\x1b\x9b\u200b\u202e\x00'),
        st.characters(),
    ),
    max_size=12,
)
_VALUES = st.recursive(
    st.one_of(_WORDS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["message", "command", "what", "how", "severity", "evidence", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
_ANSWERS = st.dictionaries(
    st.sampled_from([*FULL, "explanation", "rootCause", "other"]), _VALUES, max_size=8
).map(lambda fields: json.dumps(fields, ensure_ascii=len(fields) % 2 == 0))
_TEXTS = st.one_of(
    _ANSWERS,
    st.tuples(_WORDS, _ANSWERS, _WORDS).map("".join),
    st.tuples(st.sampled_from(["```json\n", "```\n", "Well:\n", "\n"]), _ANSWERS).map("".join),
    st.lists(
        st.one_of(
            _WORDS,
            st.sampled_from(["## Summary\n", "```", "json\n", '{"summary":', "\\ud83d", "\x1b["]),
        ),
        max_size=12,
    ).map("".join),
)  # fmt: skip
_PLACES = st.lists(st.integers(min_value=0, max_value=10_000), max_size=12)


@given(_TEXTS, _PLACES)
@example(json.dumps(FULL), list(range(1_500)))
@example('```json\n{"summary": "\\ud83d\\ude00', list(range(40)))
def test_cuts_make_no_difference(text: str, places: list[int]) -> None:
    """However it is cut, the pieces add up to the same text, and each prefix to a prefix."""
    about = inquiry()
    whole = LiveText(about)
    expected = whole.feed(text)
    pieces = LiveText(about)
    so_far = ""
    for piece in cut(text, places):
        so_far += pieces.feed(piece)
        assert expected.startswith(so_far)
    assert so_far == expected
    assert pieces.end() == whole.end()


@given(_TEXTS)
def test_no_hidden_character_gets_through(text: str) -> None:
    """Neither terminal codes nor invisible characters reach a reader, escaped in JSON or not."""
    shown = show(in_threes(text))
    assert first_unfit(shown.whole) is None
    assert strip_invisible(shown.whole) == shown.whole
    assert first_unfit(shown.final) is None


@given(st.lists(st.one_of(_WORDS, st.sampled_from(["]0;", "[31m", "\x07", "m" * 2_050, "P"]))))
def test_pieces_are_cleaned_as_the_whole_is(pieces: list[str]) -> None:
    """A terminal code cut across pieces is removed as if it had come at once."""
    stream = PlainStream()
    assert "".join(map(stream.feed, pieces)) + stream.end() == Sanitizer().clean("".join(pieces))


@given(st.dictionaries(_WORDS, _VALUES, max_size=5), _PLACES)
def test_fields_are_read_as_json_has_them(fields: dict[str, Any], places: list[int]) -> None:
    """Each element once, whole, with its pieces; lists one by one."""
    reader = JsonFields()
    parts = [part for piece in cut(json.dumps(fields), places) for part in reader.feed(piece)]
    ended = [(part.field, part.place, part.value) for part in parts if part.ended]
    expected = [
        (name, place, item)
        for name, value in fields.items()
        for place, item in enumerate(value if isinstance(value, list) else [value])
    ]
    assert ended == expected


class Strict:
    """A desk that notes what it is asked."""

    has_signs = True

    def __init__(self) -> None:
        self.quotes: list[str] = []

    def verify(self, quotes: Iterable[str]) -> tuple[Evidence, ...]:
        """Find each."""
        told = list(quotes)
        self.quotes += told
        return tuple(Evidence(quote=q, source="query", line=1, verified=True) for q in told)

    def settled(self, command: Command) -> Command:
        """Find it harmless."""
        return command


def test_each_quote_is_looked_up_once() -> None:
    """Looking up is the costly part where megabytes were sent."""
    desk = Strict()
    text = LiveText(desk)
    for piece in in_threes(json.dumps({**FULL, "findings": []})):
        text.feed(piece)
    text.end()
    assert desk.quotes == FULL["evidence"]
