"""Fireworks AI: OpenAI's format with full paths for model names."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import FIREWORKS


class FireworksProvider(HTTPProvider):
    """Fireworks AI."""

    codec = OpenAIChat(FIREWORKS)
