"""What becomes of an answer once it is read: nothing of it is lost."""

from dataclasses import fields, replace
from typing import Any

from faultmaven.infrastructure.llm.wire.answer import finished
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Thought, ToolCall

_FULL: dict[str, Any] = {
    "text": "The disk is full.",
    "finish_reason": "length",
    "usage": Usage(3, 4, 1, 2),
    "model": "gpt-4o",
    "reasoning": "Let me see.",
    "mean_logprob": -0.5,
    "cost_usd": 0.25,
    "prior": 0.7,
    "tool_calls": (ToolCall("1", "df", "{}"),),
    "thoughts": (Thought("Hm.", "signed"),),
    "logprobs": ({"token": "The", "logprob": -0.5},),
}


def test_nothing_that_was_read_is_lost() -> None:
    """An answer that is as it should be stays what it is, in every one of its fields."""
    assert _FULL.keys() == {field.name for field in fields(Completion)}
    assert finished(Completion(**_FULL)) == Completion(**_FULL)


def test_an_answer_that_is_all_text_stays_what_it_is() -> None:
    """What is in our words already is not written anew; what is not in them is."""
    plain = Completion("The disk is full.", usage=Usage(3, 4), model="gpt-4o", logprobs=({},))
    assert finished(plain) is plain
    assert finished(replace(plain, finish_reason="max_tokens")).finish_reason == "length"
    assert finished(replace(plain, text=" The disk is full.\n")) == plain
    assert finished(replace(plain, model="gpt 4o\n\nrm")).model == "gpt 4o rm"


def test_thoughts_in_the_text_follow_those_beside_it() -> None:
    """Both are kept, apart from the answer, without the blanks around them."""
    read = finished(Completion(" <think> Two. </think> Full. ", reasoning=" One. "))
    assert (read.text, read.reasoning) == ("Full.", "One.\nTwo.")
