"""What observers may ask about the configured providers."""

from __future__ import annotations

from typing import Protocol

from faultmaven.models.interfaces import ProviderConfig


class ProviderDirectory(Protocol):
    """The names and configurations behind the attempts that are observed."""

    def get_all_provider_names(self) -> list[str]:
        """Names of all providers of the schema."""
        ...

    def get_available_providers(self) -> list[str]:
        """Names of the configured providers."""
        ...

    def get_fallback_chain(self) -> list[str]:
        """The order in which providers are asked."""
        ...

    def get_config(self, name: str) -> ProviderConfig:
        """The configuration of one provider.

        Raises:
            KeyError: there is none of that name.
        """
        ...


def asks_default_model(directory: ProviderDirectory, provider: str, model: str) -> bool:
    """Whether ``model`` is the one ``provider`` is configured with, not one a caller named."""
    try:
        return directory.get_config(provider).models[:1] == [model]
    except KeyError:
        return False
