"""What a model wrote for arguments, as vendors take it that want an object."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.wire.body import write_json
from faultmaven.infrastructure.llm.wire.function_tools import (
    arguments_object,
    arguments_text,
    given_call_id,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ('{"path": "/é"}', {"path": "/é"}),
        ('{"path": "/', {"arguments": '{"path": "/'}),
        ("[1]", {"arguments": [1]}),
        ("null", {"arguments": None}),
        ('"df"', {"arguments": "df"}),
        ("look", {"arguments": "look"}),
        ('{"n": NaN}', {"arguments": '{"n": NaN}'}),
        ('{"n": 1e999}', {"arguments": '{"n": 1e999}'}),
        ("[" * 100_000, {"arguments": "[" * 100_000}),
        ("9" * 5000, {"arguments": "9" * 5000}),
    ],
    ids=range(13),
)
def test_arguments_become_an_object(text: str, expected: dict[str, Any]) -> None:
    """An object stays itself; anything else is handed on whole."""
    assert arguments_object(text) == expected


@given(text=st.text(max_size=20) | st.sampled_from(['{"a": 1}', "[1]", "{}", '{"a":NaN}']))
def test_arguments_are_always_valid(text: str) -> None:
    """Whatever was written, an object can be sent, and its text says the same."""
    value = arguments_object(text)

    assert json.loads(write_json(value)) == json.loads(arguments_text(text))


def test_valid_text_stays_as_it_is() -> None:
    """Arguments that are fine are sent in the model's own writing."""
    assert arguments_text('{ "path" : "/" }') == '{ "path" : "/" }'


def test_ids_are_made_up_where_there_are_none() -> None:
    """Two calls of an answer, or of two answers, never share an id that we made up."""
    made = {given_call_id("", answer=answer, place=place) for answer in "ab" for place in (0, 1)}

    assert len(made) == 4
    assert given_call_id("c1", answer="a", place=0) == "c1"
