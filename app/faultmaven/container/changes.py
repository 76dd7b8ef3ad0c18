"""What is different between two registries, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.models.interfaces import ProviderConfig
from faultmaven.services.reloading import ReloadReport, Trigger
from faultmaven.settings import READ_ONCE, Settings

_SAID = {"api_keys": "api_key"}  # one variable holds all of a provider's keys


def changes_between(
    old: ProviderRegistry,
    new: ProviderRegistry,
    *,
    trigger: Trigger,
    without_effect: Sequence[str] = (),
) -> ReloadReport:
    """What the step from ``old`` to ``new`` changes.

    Args:
        old: what the service runs with.
        new: what was read.
        trigger: why it was read.
        without_effect: variables of the file that the process environment overrides.
    """
    before, after = old.get_available_providers(), new.get_available_providers()
    settings = list(_settings(old.settings, new.settings))
    same = not settings and old.get_provider_status() == new.get_provider_status()
    providers = {name: _provider(name, old, new) for name in after if name in before}
    changed = {name: what for name, what in providers.items() if what}
    chains = old.get_fallback_chain(), new.get_fallback_chain()
    return ReloadReport(
        result="unchanged" if same and not changed and chains[0] == chains[1] else "applied",
        trigger=trigger,
        providers_added=[name for name in after if name not in before],
        providers_removed=[name for name in before if name not in after],
        providers_changed=changed,
        chain_before=chains[0],
        chain_after=chains[1],
        settings_changed=settings,
        needs_restart=[name for name in settings if name in READ_ONCE],
        warnings=[*_warnings(old, new), *_overridden(without_effect)],
    )


def _settings(old: Settings, new: Settings) -> Iterator[str]:
    for name in Settings.model_fields:
        if getattr(old, name) != getattr(new, name):
            yield name.upper()


def _provider(name: str, old: ProviderRegistry, new: ProviderRegistry) -> list[str]:
    """What is different about one provider, by the names of the configuration's fields."""
    former, present = old.get_config(name), new.get_config(name)
    different = [
        _SAID.get(field.name, field.name)
        for field in fields(ProviderConfig)
        if getattr(former, field.name) != getattr(present, field.name)
    ]
    same_class = type(old.get_provider(name)) is type(new.get_provider(name))
    return list(dict.fromkeys(different if same_class else [*different, "provider_class"]))


def _warnings(old: ProviderRegistry, new: ProviderRegistry) -> Iterator[str]:
    former = set(_told(old))
    return (warning for warning in _told(new) if warning not in former)


def _told(registry: ProviderRegistry) -> Iterator[str]:
    for name, status in registry.get_provider_status().items():
        yield from (f"{name}: {warning}" for warning in status["warnings"])


def _overridden(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"{name} in the file has no effect: the process environment has another value"
