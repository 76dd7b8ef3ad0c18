"""JSON texts, by whichever library writes them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.models.json_text import json_bytes

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(st.dictionaries(st.text(), _VALUES))
def test_whatever_json_has_comes_back_as_it_was(value: dict[str, Any]) -> None:
    """Every text, number and structure survives being written and read, large numbers too."""
    assert json.loads(json_bytes(value)) == value


def test_half_a_character_becomes_a_question_mark() -> None:
    """What UTF-8 cannot carry costs the character, not the request."""
    assert json_bytes({"said": "a\ud83db"}) == b'{"said":"a?b"}'


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_no_number_is_written_that_json_does_not_have(number: float) -> None:
    """Whatever writes it, the result can be read by every JSON reader there is."""
    written = json_bytes({"number": number})
    assert json.loads(written, parse_constant=pytest.fail) == {"number": None}
