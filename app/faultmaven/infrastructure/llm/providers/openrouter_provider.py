"""OpenRouter: OpenAI's format in front of many vendors."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENROUTER


class OpenRouterProvider(HTTPProvider):
    """OpenRouter; the options ``referer`` and ``title`` name the application to it."""

    codec = OpenAIChat(OPENROUTER)
