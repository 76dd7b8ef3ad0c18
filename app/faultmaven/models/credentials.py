"""Credentials by their shape: the last line between a secret and a log, an error or a vendor.

Shapes come from the vendors' own key formats and from common operations text. Identifiers that
only look random (commit hashes, image digests, pod names, ARNs) match none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHAPES: tuple[tuple[str, str], ...] = (
    (
        "private_key",
        (
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?"
            r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|\Z)"
        ),
    ),
    ("anthropic_key", r"\bsk-ant-[A-Za-z0-9_-]{8,}"),
    ("openrouter_key", r"\bsk-or-[A-Za-z0-9_-]{8,}"),
    ("openai_key", r"\bsk[-_][A-Za-z0-9_-]{8,}"),
    ("fireworks_key", r"\bfw_[A-Za-z0-9_-]{8,}"),
    ("huggingface_key", r"\bhf_[A-Za-z0-9_-]{8,}"),
    ("google_key", r"\bAIza[A-Za-z0-9_-]{8,}"),
    ("aws_key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("github_token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("gitlab_token", r"\bglpat-[A-Za-z0-9_-]{16,}"),
    ("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}"),
    ("stripe_key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{8,}"),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    ("url_password", r"(?<=://)[^\s/:@'\"]{0,256}:[^\s/@'\"]{1,256}(?=@)"),
    ("bearer_token", r"(?i:(?<=\bbearer )[A-Za-z0-9._~+/-]{8,}=*)"),
    ("basic_auth", r"(?i:(?<=\bauthorization: basic )[A-Za-z0-9+/]{6,}=*)"),
    (
        "secret_value",
        (
            r"(?i:(?<![A-Za-z0-9])(?P<name>[A-Za-z0-9_.-]{0,64}"
            r"(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?token"
            r"|access[_-]?token|refresh[_-]?token|client[_-]?secret|x-api-key|x-goog-api-key)"
            r"[A-Za-z0-9_.-]{0,16}[\"']?\s{0,4}[:=]\s{0,4})"
            r"(?P<quote>[\"']?)(?!\[)(?P<value>[^\s\"',;&]{4,256})(?P=quote))"
        ),
    ),
)
_ANY = re.compile("|".join(f"(?P<{kind}>{shape})" for kind, shape in _SHAPES))
_KINDS = frozenset(kind for kind, _ in _SHAPES)


@dataclass(frozen=True, slots=True)
class Masked:
    """Text without credentials.

    Attributes:
        text: the text, each credential replaced by ``[kind removed]``.
        kinds: the kinds that were replaced, once per replacement, in order.
    """

    text: str
    kinds: tuple[str, ...] = ()


def mask_credentials(text: str) -> str:
    """The text with every credential replaced by a placeholder; idempotent."""
    return find_credentials(text).text


def find_credentials(text: str) -> Masked:
    """As `mask_credentials`, with the kinds that were found."""
    kinds: list[str] = []

    def replace(match: re.Match[str]) -> str:
        kind = next(_matched_kinds(match))
        kinds.append(kind)
        return f"{match.group('name') or ''}[{kind} removed]"

    return Masked(_ANY.sub(replace, text), tuple(kinds))


def _matched_kinds(match: re.Match[str]) -> Iterator[str]:
    return (name for name in match.groupdict() if name in _KINDS and match.group(name) is not None)
