"""What Gemini's models differ in, told by their names."""

from __future__ import annotations

import re

_LATEST = r"(?:pro|flash|flash-lite)-latest"
# responseJsonSchema came with 2.5; earlier models know a dialect of OpenAPI only.
_SCHEMAS = re.compile(
    rf"(?:models/)?gemini-(?:2\.[5-9]|[3-9]|\d\d|{_LATEST})(?!.*-(?:tts|image|live))"
)
_SIGNS = re.compile(rf"(?:models/)?gemini-(?:[3-9]|\d\d|{_LATEST})")
# What every model from 3 on knows; https://ai.google.dev/gemini-api/docs/thinking
_LEVELS = {
    "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high",
    "max": "high",
}  # fmt: skip


def knows_schemas(model: str) -> bool:
    """Whether the answer can be held to a JSON schema."""
    return bool(_SCHEMAS.match(model))


def signs_calls(model: str) -> bool:
    """Whether it is of the third generation or later.

    These sign their calls and want the signatures back, tell calls by their ids, take pictures
    within results, answer in JSON also where tools are on offer, and think by levels.
    """
    return bool(_SIGNS.match(model))


def thinking_level(model: str, effort: object) -> str | None:
    """How much to think, for OpenAI's word; ``None`` where the model has no level for it."""
    known = isinstance(effort, str) and signs_calls(model)
    return _LEVELS.get(str(effort)) if known else None
