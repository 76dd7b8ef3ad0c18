"""Anthropic."""

from __future__ import annotations

from typing import Any, ClassVar

from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider


class AnthropicProvider(HTTPProvider):
    """Anthropic's Messages API; the option ``version`` sets the API version."""

    default_base_url: ClassVar[str] = "https://api.anthropic.com/v1"

    def __init__(self, config: ProviderConfig, **parts: Any) -> None:
        super().__init__(config, **parts)
        if not hasattr(self, "codec"):
            from faultmaven.infrastructure.llm.wire import anthropic_messages  # noqa: PLC0415 - see HTTPProvider

            self.codec = anthropic_messages.AnthropicMessages()
