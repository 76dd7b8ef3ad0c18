"""Thoughts that a model wrote into its answer, told apart from it.

Servers without a reasoning parser leave the thoughts of DeepSeek, Qwen and their kin in the text,
as ``<think>…</think>`` before the answer. Some chat templates write the opening tag into the
prompt, so that only the closing one is seen.
"""

from __future__ import annotations

import re

_OPEN, _CLOSE = "<think>", "</think>"
_OPENING = re.compile(rf"\s*{_OPEN}")


def split_thinking(text: str) -> tuple[str, str]:
    """The answer and the thoughts of ``text``, both without surrounding blanks.

    Only a block at the very beginning, or what precedes a closing tag on a line of its own, is a
    thought: a tag that is quoted within an answer stays. A block that never ends is all thought.
    """
    if _OPEN not in text and _CLOSE not in text:
        return text.strip(), ""
    answer, thoughts = split_leading(text)
    return (answer, thoughts) if _OPENING.match(text) else _split_at_lone_close(answer)


def split_leading(text: str) -> tuple[str, str]:
    """As `split_thinking`, with blocks at the very beginning alone.

    That is all that can be told of a stream: see `ThinkingSplitter`.
    """
    thoughts: list[str] = []
    position = 0
    while opening := _OPENING.match(text, position):
        end = text.find(_CLOSE, opening.end())
        end, position = (len(text), len(text)) if end < 0 else (end, end + len(_CLOSE))
        thoughts.append(text[opening.end() : end].strip())
    return text[position:].strip(), "\n".join(filter(None, thoughts))


def _split_at_lone_close(text: str) -> tuple[str, str]:
    thought, found, answer = f"{text}\n".partition(f"\n{_CLOSE}\n")
    if not found or _OPEN in thought:
        return text, ""
    return answer.strip(), thought.strip()


class ThinkingSplitter:
    """Tells thoughts from the answer while the text arrives, its tags cut anywhere.

    Only blocks that open at the very beginning are found: of a text that lacks the opening tag
    nobody knows that it is a thought before its closing one, and by then it has been read.
    An answer that does not begin with the tag passes as it is, without delay.

    Attributes:
        answering: whether all that comes from now on is the answer.
    """

    def __init__(self) -> None:
        self.answering = False
        self._inside = False
        self._opened = False
        self._held = ""  # what may be the beginning of a tag
        self._leading: list[str] = []  # blanks that belong to an answer without thoughts
        self._thought = _Thought()

    def feed(self, text: str) -> tuple[str, str]:
        """The next part of the answer and of the thoughts."""
        if self.answering:
            return text, ""
        thoughts: list[str] = []
        rest, self._held = self._held + text, ""
        while rest and not self.answering:
            rest = self._think(rest, thoughts) if self._inside else self._begin(rest)
        return rest, "".join(thoughts)

    def close(self) -> tuple[str, str]:
        """What was held back because it might have been part of a tag."""
        held, self._held = self._held, ""
        if self._inside:
            return "", self._thought.add(held)
        return self._with_leading(held), ""

    def _begin(self, text: str) -> str:
        """What follows the opening tag, or the answer where there is none."""
        body = text.lstrip()
        if not self._opened:
            self._leading.append(text[: len(text) - len(body)])
        if body.startswith(_OPEN):
            self._inside = self._opened = True
            self._leading.clear()
            return body.removeprefix(_OPEN)
        if _OPEN.startswith(body):
            self._held = body
            return ""
        self.answering = True
        return self._with_leading(body)

    def _think(self, text: str, thoughts: list[str]) -> str:
        """What follows the closing tag; what precedes it is added to ``thoughts``."""
        thought, closing, rest = text.partition(_CLOSE)
        if not closing:
            kept = len(thought) - _overlap(thought)
            thought, self._held = thought[:kept], thought[kept:]
        thoughts.append(self._thought.add(thought))
        if closing:
            self._inside = False
            self._thought.end()
        return rest

    def _with_leading(self, text: str) -> str:
        leading, self._leading = self._leading, []
        return "".join((*leading, text))


class _Thought:
    """The text of all blocks: each without its surrounding blanks, a line feed between two."""

    def __init__(self) -> None:
        self._before = ""  # what parts the block from the one before
        self._begun = False
        self._blanks: list[str] = []  # given once text follows them

    def add(self, text: str) -> str:
        """The next part that can be told already."""
        body = text.rstrip()
        if not body:
            self._blanks.append(text)
            return ""
        told = "".join((*self._blanks, body)) if self._begun else self._before + body.lstrip()
        self._begun, self._blanks = True, [text[len(body) :]]
        return told

    def end(self) -> None:
        """The block ends."""
        if self._begun:
            self._before = "\n"
        self._begun, self._blanks = False, []


def _overlap(text: str) -> int:
    """How many characters at the end of ``text`` may begin the closing tag."""
    most = min(len(text), len(_CLOSE) - 1)
    return next((size for size in range(most, 0, -1) if _CLOSE.startswith(text[-size:])), 0)
