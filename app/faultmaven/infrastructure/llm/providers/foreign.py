"""What a class somebody else wrote says when it fails."""

from __future__ import annotations

from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.models.interfaces import ProviderConfig

_SHORTEST_SECRET = 8  # characters; a shorter key could be a part of any word


def describe_failure(error: Exception, config: ProviderConfig) -> str:
    """The type of ``error`` and its message, on one short line without credentials."""
    text, key = str(error), config.api_key or ""
    if len(key) >= _SHORTEST_SECRET:
        text = text.replace(key, "[key removed]")
    text = excerpt(text)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
