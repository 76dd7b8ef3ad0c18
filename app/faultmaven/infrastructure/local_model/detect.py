"""Find a model server that the user already runs."""

from __future__ import annotations

import json
from typing import Final

from faultmaven.infrastructure.local_model.http_get import get

OLLAMA_URL: Final = "http://localhost:11434"
"""Where Ollama listens unless told otherwise: https://docs.ollama.com/faq"""

# Path, key of the list, key of the name: Ollama's own catalogue, then the OpenAI shape.
_CATALOGUES: Final = (("/api/tags", "models", "name"), ("/v1/models", "data", "id"))


async def find_local_server(
    url: str = OLLAMA_URL,
    *,
    timeout: float = 0.5,  # noqa: ASYNC109 - one bound for both questions
) -> tuple[str, ...] | None:
    """Ask which models the server at ``url`` has; ``None`` when there is no model server.

    An empty tuple means a server without models, or one that wants a key before it tells.

    Args:
        url: base URL, with or without ``/v1``.
        timeout: seconds allowed for each of two questions.
    """
    base = url.rstrip("/").removesuffix("/v1")
    locked = False
    for path, collection, key in _CATALOGUES:
        reply = await get(f"{base}{path}", timeout=timeout)
        if reply is None:
            return None
        names = _names(reply.body, collection, key) if reply.status == _OK else None
        if names is not None:
            return names
        locked = locked or reply.status in _LOCKED
    return () if locked else None


_OK: Final = 200
_LOCKED: Final = frozenset({401, 403})


def _names(body: bytes, collection: str, key: str) -> tuple[str, ...] | None:
    """The names in a model catalogue, or ``None`` when it is none."""
    try:
        entries = json.loads(body)[collection]
        return tuple(str(entry[key]) for entry in entries)
    except (ValueError, KeyError, TypeError):
        return None
