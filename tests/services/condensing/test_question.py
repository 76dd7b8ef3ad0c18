"""A question with a long log: the model reads the telling part, the answer speaks of the whole."""

from __future__ import annotations

import json

import pytest

from faultmaven.models.api import Attachment, TroubleshootRequest
from faultmaven.models.prompt import StructuredOutput, Target
from faultmaven.services.inquiry import Inquiry
from faultmaven.services.sanitizer import Sanitizer

_FATAL = "2026-11-23T03:07:11 FATAL quota reached on /data, 10.0.0.7"
_LINES = [
    f"2026-11-23T03:{i // 600:02d}:{i // 10 % 60:02d} INFO job {i} done" for i in range(20_000)
]
_LINES[12_344] = _FATAL
_TEXT = "\n".join(_LINES)
_TARGETS = (
    Target("local", "qwen", 16_384, StructuredOutput.JSON_SCHEMA, small=True),
    Target("huggingface", "falcon", 8_192),
    Target("openai", "gpt-4o", 128_000, StructuredOutput.JSON_SCHEMA),
)


def _inquiry(*, attached: bool) -> Inquiry:
    attachments = [Attachment(name="a.log", content=_TEXT)] if attached else []
    query = "Why did it stop?" if attached else _TEXT
    request = TroubleshootRequest(session_id="s", query=query, attachments=attachments)
    return Inquiry(request, sanitizer=Sanitizer())


@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize("target", _TARGETS, ids=lambda target: target.provider)
def test_evidence_points_at_the_line_of_what_was_sent(target: Target, *, attached: bool) -> None:
    """Whatever the window: the fault is shown, and a quote of it is found on its own line."""
    inquiry = _inquiry(attached=attached)
    shown = inquiry.render(target).messages[-1].text
    answer = json.dumps({"root_cause": "The disk is full.", "evidence": [_FATAL]})
    (found,) = inquiry.read(answer).evidence

    assert _FATAL in shown
    assert (found.verified, found.line) == (True, 12_345)
    assert found.source == ("attachment:a.log" if attached else "query")
    assert inquiry.was_shortened(target.provider, target.model)


def test_notes_tell_where_the_fault_stands() -> None:
    """The line is the one behind the last that the note before it names."""
    shown = _inquiry(attached=True).render(_TARGETS[1]).messages[-1].text
    before = shown[: shown.index(_FATAL)].rstrip("\n").split("\n")
    gap = max(n for n, line in enumerate(before) if "left out" in line)
    last = int(before[gap].split("-")[-1].split(" ")[0])

    assert last + len(before) - gap == 12_345


def test_a_session_keeps_the_telling_part_of_a_long_query() -> None:
    """A later turn gets the fault, not megabytes."""
    kept = _inquiry(attached=False).turn()

    assert _FATAL in kept
    assert len(kept) <= 64_000
