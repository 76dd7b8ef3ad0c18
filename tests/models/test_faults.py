"""Faults are told in words of ours, from Pydantic's and FastAPI's lists."""

from __future__ import annotations

import pytest

from faultmaven.models.faults import field_faults


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            {"type": "missing", "loc": ("body", "query"), "msg": "Field required", "input": "x"},
            "query is missing. Add the field.",
        ),
        (
            {"type": "json_invalid", "loc": ("body", 17), "msg": "JSON decode error", "input": {}},
            "body is not valid JSON. Check quotes, commas and brackets.",
        ),
        (
            {"type": "string_too_long", "loc": ("query",), "ctx": {"max_length": 1_000_000}},
            "query must have at most 1,000,000 characters. Shorten it.",
        ),
        (
            {"type": "something_new", "loc": ("a", 0, "b"), "msg": "secret", "input": "secret"},
            "a.0.b is not valid. See the interactive documentation at /docs.",
        ),
        ({"type": "dict_type", "loc": ()}, "body must be an object. Send {...}."),
    ],
)
def test_fault_is_a_path_a_message_and_a_fix(error: dict[str, object], told: str) -> None:
    """The path loses FastAPI's prefix; message and input of the original are never used."""
    assert [str(fault) for fault in field_faults([error])] == [told]
