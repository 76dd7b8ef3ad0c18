"""What Anthropic's models differ in, told by their names."""

from __future__ import annotations

import re

DEFAULT_VERSION = "2023-06-01"
"""API version unless the endpoint's option ``version`` names another."""

# Models up to 4.6 take sampling fields, later ones refuse them; so does every newer version.
_SAMPLES = re.compile(
    r"claude-(?:instant|2|3)\b|claude-(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8}|-latest)?$"
)
# From 4.1 on only one of temperature and top_p may be given.
_TAKES_EITHER = re.compile(r"claude-(?:opus|sonnet|haiku)-4-[1-6](?!\d)")
# https://platform.claude.com/docs/en/build-with-claude/structured-outputs
_SCHEMAS = re.compile(
    r"claude-(?:opus-4-[1-9]|sonnet-4-[5-9]|haiku-4-[5-9]"
    r"|(?:opus|sonnet|haiku)-(?:[5-9]|\d\d)|fable|mythos)(?!\d)"
)
# https://platform.claude.com/docs/en/build-with-claude/effort
_EFFORT = re.compile(
    r"claude-(?:opus-4-[5-9]|sonnet-4-[6-9]|(?:opus|sonnet|haiku)-(?:[5-9]|\d\d)|fable|mythos)(?!\d)"
)
_HIGHEST_IS_HIGH = re.compile(r"claude-(?:opus|sonnet)-4-[56](?!\d)")
_EFFORTS = {
    "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh",
    "max": "max",
}  # fmt: skip
# The last message may be the beginning of the answer up to 4.5 only.
_PREFILLS = re.compile(
    r"claude-(?:(?:instant|2|3)\b|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-\d{8}|-latest)?$)"
)


def samples(model: str, version: str = DEFAULT_VERSION) -> bool:
    """Whether sampling fields may be sent."""
    return version == DEFAULT_VERSION and bool(_SAMPLES.match(model))


def takes_either_sampler(model: str) -> bool:
    """Whether ``temperature`` and ``top_p`` exclude each other."""
    return bool(_TAKES_EITHER.match(model))


def knows_schemas(model: str) -> bool:
    """Whether the answer can be held to a JSON schema."""
    return bool(_SCHEMAS.match(model))


def prefills(model: str) -> bool:
    """Whether the assistant may have the last word, which the answer continues."""
    return bool(_PREFILLS.match(model))


def effort(model: str, asked: object) -> str | None:
    """The effort in Anthropic's words; ``None`` where the model or the vendor has none for it."""
    word = _EFFORTS.get(asked) if isinstance(asked, str) else None
    if word is None or not _EFFORT.match(model):
        return None
    return "high" if word in ("xhigh", "max") and _HIGHEST_IS_HIGH.match(model) else word
