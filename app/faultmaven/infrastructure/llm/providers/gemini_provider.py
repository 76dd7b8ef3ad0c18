"""Google Gemini."""

from __future__ import annotations

from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.wire.gemini_content import GeminiContent


class GeminiProvider(HTTPProvider):
    """Google's Gemini API."""

    codec = GeminiContent()
