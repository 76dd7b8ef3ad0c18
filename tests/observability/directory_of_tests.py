"""A directory of two providers, and attempts at them."""

from __future__ import annotations

from typing import Any

from faultmaven.errors import ErrorClass
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import ProviderConfig


class Directory:
    """Two configured providers and one that is not."""

    def get_all_provider_names(self) -> list[str]:
        """List the schema."""
        return ["one", "two", "keyless"]

    def get_available_providers(self) -> list[str]:
        """List the configured ones."""
        return ["one", "two"]

    def get_fallback_chain(self) -> list[str]:
        """List the chain."""
        return ["two", "one"]

    def get_config(self, name: str) -> ProviderConfig:
        """Tell a configuration; raises `KeyError` for names of no schema."""
        return {known: ProviderConfig(known, None, "", ["m"]) for known in ("one", "two")}[name]


def answered(provider: str = "one", **fields: Any) -> Attempt:
    """Make an attempt that went well."""
    return Attempt(provider, fields.pop("model", "m"), **{"confidence": 0.9, **fields})


def failed(error_class: ErrorClass, provider: str = "one", **fields: Any) -> Attempt:
    """Make an attempt that failed."""
    model = fields.pop("model", "m")
    return Attempt(provider, model, error_class=error_class, detail="it went wrong", **fields)
