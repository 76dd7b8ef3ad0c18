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
    thoughts: list[str] = []
    position = 0
    while opening := _OPENING.match(text, position):
        end = text.find(_CLOSE, opening.end())
        end, position = (len(text), len(text)) if end < 0 else (end, end + len(_CLOSE))
        thoughts.append(text[opening.end() : end].strip())
    if position == 0:
        return _split_at_lone_close(text.strip())
    return text[position:].strip(), "\n".join(filter(None, thoughts))


def _split_at_lone_close(text: str) -> tuple[str, str]:
    thought, found, answer = f"{text}\n".partition(f"\n{_CLOSE}\n")
    if not found or _OPEN in thought:
        return text, ""
    return answer.strip(), thought.strip()
