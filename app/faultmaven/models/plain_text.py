"""Characters a reader does not see: terminal escapes, controls, invisible and bidirectional ones.

Logs pasted from a terminal carry colour codes; text made to deceive carries characters that no
person sees and every model reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven.models.line_blocks import BLOCK, line_blocks

# ECMA-48: CSI, OSC and the other strings (bounded, one line), two- and three-byte escapes. An
# escape that fits none of them, such as one cut at the end of a paste, goes alone.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b\n]{0,2048}\x1b\\"
    r"|\x1b(?:[ -/]{1,8}[0-~]|[0-~])?"
)
# The same, of which the end may still come: it stands at the end of what has come so far.
_UNFINISHED = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}\Z"
    r"|\x1b\][^\x07\x1b\n]{0,2048}\x1b?\Z"
    r"|\x1b[PX^_][^\x1b\n]{0,2048}\x1b?\Z"
    r"|\x1b[ -/]{0,8}\Z"
)
# Half a surrogate pair is no character: JSON can spell it, UTF-8 cannot.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROLS = bytes(code for code in range(128) if _UNFIT.match(chr(code)))
# Unicode's format characters save the visible signs among them, and what is drawn as nothing
# without being of that category: grapheme joiner, Hangul fillers, variation selectors. The last
# range (tags and further selectors) can hide whole sentences.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def strip_terminal_codes(text: str) -> str:
    """The text without terminal escape sequences, such as colours and window titles."""
    if "\x1b" not in text and "\x9b" not in text:
        return text
    # No sequence goes over a line break.
    return "".join(_TERMINAL.sub("", text[slice(*block)]) for block in line_blocks(text))


def unfinished_code(text: str) -> int:
    """Place where a terminal escape begins whose end may still come; the length without one."""
    if "\x1b" not in text and "\x9b" not in text:
        return len(text)
    found = _UNFINISHED.search(text)
    return len(text) if found is None else found.start()


def strip_invisible(text: str) -> str:
    """The text without invisible and bidirectional formatting characters."""
    if text.isascii():
        return text
    if len(text) <= BLOCK:
        return _INVISIBLE.sub("", text)
    visible = "".join(map(strip_invisible, _parts(text)))
    return text if len(visible) == len(text) else visible


def strip_unfit(text: str) -> str:
    """The text without controls (tab and line breaks stay) and lone surrogates."""
    if len(text) <= BLOCK:
        return _UNFIT.sub("", text)
    return text if first_unfit(text) is None else "".join(map(strip_unfit, _parts(text)))


def first_unfit(text: str) -> str | None:
    """The first control (but tab and line breaks) or lone surrogate, or ``None``."""
    if len(text) > BLOCK:
        return next(filter(None, map(first_unfit, _odd_parts(text))), None)
    found = _UNFIT.search(text)
    return found.group() if found else None


def is_blank(text: str) -> bool:
    """Whether a person would see nothing."""
    if len(text) > BLOCK:
        return all(map(is_blank, _parts(text)))
    return not strip_invisible(text).strip()


def _odd_parts(text: str) -> Iterator[str]:
    """The parts of a text that are not ASCII without controls: that is told ten times faster."""
    for part in _parts(text):
        if not part.isascii() or len(part.encode().translate(None, _CONTROLS)) < len(part):
            yield part


def _parts(text: str) -> Iterator[str]:
    """A text in parts, so that other threads get their turn between two of them."""
    return (text[at : at + BLOCK] for at in range(0, len(text), BLOCK))


def lowered(text: str) -> str:
    """The text in lower case, character by character at the same place."""
    # Lowering what is not ASCII takes twelve times its memory, so a long text goes part by part.
    return text.lower() if text.isascii() else "".join(map(_lowered, _parts(text)))


def _lowered(text: str) -> str:
    lower = text.lower()
    # Of all characters only this one grows when lowered.
    return lower if len(lower) == len(text) else text.replace("\u0130", "I").lower()
