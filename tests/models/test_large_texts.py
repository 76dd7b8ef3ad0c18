"""What is done with a large text part by part comes out as if it were done at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.models.credentials import mask_credentials, secrets_of_several_lines
from faultmaven.models.line_blocks import BLOCK, line_blocks
from faultmaven.models.plain_text import (
    first_unfit,
    is_blank,
    lowered,
    strip_invisible,
    strip_terminal_codes,
    strip_unfit,
)


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20).map("\n".join), st.integers(1, 40))
def test_blocks_are_whole_lines_and_together_the_text(text: str, size: int) -> None:
    """None is longer than asked but for a line that is; none begins within a line."""
    blocks = [text[start:end] for start, end in line_blocks(text, size)]

    assert "".join(blocks) == text
    assert all(block.endswith("\n") for block in blocks[:-1])
    assert all(len(block) <= size or "\n" not in block[:-1] for block in blocks)


@pytest.mark.parametrize("gap", range(13))
def test_a_secret_at_the_edge_of_a_part_is_masked(gap: int) -> None:
    """Wherever the name of a setting stands, its value goes."""
    for ending in ("\n", " "):
        text = "x" * (BLOCK - gap) + ending + "my_password=hunter2hunter2" + ending + "y" * BLOCK

        assert mask_credentials(text) == text.replace("hunter2hunter2", "[secret_value removed]")


@pytest.mark.parametrize("filler", ["plain ", "gr\u00fcn ", "\u4e16 "])
def test_cleaning_a_large_text_is_cleaning_its_lines(filler: str) -> None:
    """Controls, invisible characters and terminal codes go, wherever they stand."""
    lines = [filler * 900, "a\x00b\u200bc", "\x1b[31mred\x1b[0m", "\u0130 END"] * 40
    text = "\n".join(lines)

    for clean in (strip_unfit, strip_invisible, strip_terminal_codes, lowered):
        assert clean(text) == "\n".join(map(clean, lines))
    assert first_unfit(text) == "\x00"
    assert first_unfit("\n".join([filler * 900] * 40)) is None
    assert len(lowered(text)) == len(text)


def test_a_large_blank_text_is_blank() -> None:
    """Until something can be seen."""
    blank = " \u200b\n" * BLOCK

    assert is_blank(blank)
    assert not is_blank(f"{blank}a{blank}")


def test_only_keys_go_over_several_lines() -> None:
    """Where they begin and end is told; other secrets stand in one line."""
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----"
    text = f"password=hunter22\n{key}\nend"

    assert [text[start:end] for start, end in secrets_of_several_lines(text)] == [key]
