"""Which texts can be the name of a model."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.api.extensions import is_model_name

_AS_WRITTEN = re.compile(r"[\x21-\x7e]{1,256}")  # what the documentation promises


@given(st.text(st.characters(max_codepoint=0x3000), max_size=12) | st.text(max_size=300))
def test_visible_ascii_alone_is_a_name(text: str) -> None:
    """Nothing else is fit for a header."""
    assert is_model_name(text) == (_AS_WRITTEN.fullmatch(text) is not None)


@pytest.mark.parametrize(("length", "is_one"), [(0, False), (1, True), (256, True), (257, False)])
def test_a_name_has_up_to_256_characters(length: int, *, is_one: bool) -> None:
    """A longer one is refused, as is none."""
    assert is_model_name("~" * length) is is_one
