"""Terminal codes, controls and invisible characters are told from text."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.models.plain_text import (
    first_unfit,
    is_blank,
    strip_invisible,
    strip_terminal_codes,
    strip_unfit,
)

# Of the format category, and drawn all the same: signs of Arabic, Syriac and Kaithi numbers,
# and the joints of Egyptian hieroglyphs.
_VISIBLE_FORMATS = frozenset(
    map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))
) | frozenset(map(chr, range(0x13430, 0x13440)))


@pytest.mark.parametrize(
    ("coloured", "plain"),
    [
        ("\x1b[31mERROR\x1b[0m failed", "ERROR failed"),
        ("\x1b[1;38;5;208mwarn\x1b[m", "warn"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]0;user@host: ~\x07$ ls", "$ ls"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("\x1b(B\x1b[mtop", "top"),
        ("\x1b=\x1b>keypad", "keypad"),
        ("\x1bP1$r0m\x1b\\after", "after"),
        ("cut at the end\x1b", "cut at the end"),
        ("\x1b]unended title\nnext line", "unended title\nnext line"),
        ("no codes at all", "no codes at all"),
    ],
)
def test_terminal_codes_go_and_the_text_stays(coloured: str, plain: str) -> None:
    """Colours, titles, links and cursor movements of a pasted terminal leave the text."""
    assert strip_terminal_codes(coloured) == plain


def test_every_invisible_format_character_goes() -> None:
    """Unicode's format characters are stripped, save those a reader sees."""
    formats = {
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) == "Cf"
    }

    stripped = {character for character in formats if strip_invisible(character) == ""}

    assert formats - stripped <= _VISIBLE_FORMATS


@pytest.mark.parametrize("character", ["\ufe0f", "\U000e0101", "\u3164", "\u202e", "\u200b"])
def test_what_can_carry_hidden_text_goes(character: str) -> None:
    """Variation selectors, fillers, bidi and zero-width characters leave nothing."""
    assert strip_invisible(f"a{character}b") == "ab"


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_visible_text_of_any_language_stays(text: str) -> None:
    """Letters, digits, signs and spaces pass unchanged."""
    visible = "".join(c for c in text if unicodedata.category(c)[0] in "LNPSZ")
    kept = strip_invisible(visible)

    fillers = set("\u115f\u1160\u3164\uffa0")
    assert kept == "".join(c for c in visible if c not in fillers)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters()))
def test_what_is_unfit_is_found_and_stripped(text: str) -> None:
    """After stripping nothing unfit is left, and what is left can be encoded."""
    stripped = strip_unfit(text)

    assert first_unfit(stripped) is None
    assert (first_unfit(text) is None) == (stripped == text)
    stripped.encode()


def test_tab_and_line_breaks_are_fit() -> None:
    """What structures a log is no control character to us."""
    assert first_unfit("a\tb\r\nc") is None


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u2060", "\u00ad \ufeff"])
def test_blank_is_what_nobody_sees(text: str) -> None:
    """White space and invisible characters are blank."""
    assert is_blank(text)
    assert not is_blank(f"{text}x")
