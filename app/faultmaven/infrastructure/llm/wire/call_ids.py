"""Names of tool calls, as the next vendor takes them."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 40  # characters; OpenAI's limit, the shortest of all


def usable_call_id(call_id: str, *, most: int = _LONGEST) -> str:
    """The id itself where every vendor takes it, else another that depends on it alone.

    A conversation that moves to another vendor brings ids of the first: with characters that
    Anthropic refuses, or longer than OpenAI allows. Call and result are rewritten alike.
    """
    if len(call_id) <= most and _PLAIN.fullmatch(call_id):
        return call_id
    digest = hashlib.blake2s(call_id.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return f"call_{digest}"
