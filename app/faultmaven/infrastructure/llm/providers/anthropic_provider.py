"""Anthropic."""

from __future__ import annotations

from typing import ClassVar

from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.wire.anthropic_messages import AnthropicMessages


class AnthropicProvider(HTTPProvider):
    """Anthropic's Messages API; the option ``version`` sets the API version."""

    codec = AnthropicMessages()
    default_base_url: ClassVar[str] = "https://api.anthropic.com/v1"
