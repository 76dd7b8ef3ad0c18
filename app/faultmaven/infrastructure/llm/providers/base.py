"""What every provider shares: its configuration, timing, model choice and validation."""

from __future__ import annotations

import time
from contextvars import ContextVar

from faultmaven.errors import ProviderProtocolError
from faultmaven.models.interfaces import ILLMProvider, LLMResponse, ProviderConfig

__all__ = ["BaseLLMProvider", "LLMResponse", "ProviderConfig"]

# A provider is shared by all requests, so the start of a call lives with the call's task.
_started_at: ContextVar[float] = ContextVar("faultmaven_call_started_at")


class BaseLLMProvider(ILLMProvider):
    """Common ground of providers; constructed with its configuration alone.

    A provider written by hand subclasses this and implements the three abstract methods.
    """

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config

    @property
    def provider_name(self) -> str:
        """Name in ``PROVIDER_SCHEMA``, so that one class can serve several rows."""
        return self.config.name

    def get_effective_model(self, requested: str | None = None) -> str:
        """The requested model if it is a configured one, else the default.

        Raises:
            ValueError: no model is configured.
        """
        if not self.config.models:
            message = f"Provider '{self.provider_name}' has no model configured"
            raise ValueError(message)
        if requested in self.config.models:
            return str(requested)
        return self.config.models[0]

    def _start_timing(self) -> None:
        """Note when this call began."""
        _started_at.set(time.perf_counter())

    def _get_response_time_ms(self) -> int:
        """Whole milliseconds since this call's `_start_timing`; 0 without one."""
        started = _started_at.get(None)
        return 0 if started is None else round((time.perf_counter() - started) * 1000)

    def _validate_response_content(self, content: str | None) -> str:
        """The content without surrounding white space.

        Raises:
            ProviderProtocolError: there is none; the message names the provider.
        """
        stripped = content.strip() if content else ""
        if not stripped:
            message = f"Provider '{self.provider_name}' returned an empty answer"
            raise ProviderProtocolError(message, provider=self.provider_name)
        return stripped
