"""A new configuration for a service that runs: read and checked whole, taken over in one step."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict

from faultmaven.container.changes import changes_between
from faultmaven.errors import ConfigurationError
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.services.reloading import ReloadRejectedError, ReloadReport, Trigger
from faultmaven.settings import Settings, overridden, reload_settings

logger = logging.getLogger(__name__)

# What is found is told once it is taken over, and then only what is different.
_silent = logging.getLogger(f"{__name__}.silent")
_silent.setLevel(logging.CRITICAL + 1)


class Reloader:
    """Lets the one registry become what the files and the environment say now.

    Requests that are under way end with the providers they were given; later ones get the new.

    Args:
        registry: what everybody holds.
        prepare: told of a new registry before it is taken over, to do what is done at a start.
        on_applied: told what has changed.
        on_result: told how every reload ended: ``applied``, ``unchanged`` or ``rejected``.
        read: reads the settings.
    """

    def __init__(
        self,
        registry: ProviderRegistry,
        *,
        prepare: Callable[[ProviderRegistry], None] = lambda _registry: None,
        on_applied: Callable[[ReloadReport], None] = lambda _report: None,
        on_result: Callable[[str], None] = lambda _result: None,
        read: Callable[[], Settings] = reload_settings,
    ) -> None:
        self._registry = registry
        self._prepare = prepare
        self._on_applied = on_applied
        self._on_result = on_result
        self._read = read
        self._one_at_a_time = asyncio.Lock()

    async def reload(self, trigger: Trigger) -> ReloadReport:
        """Read the configuration again and take it over if it is sound.

        Raises:
            ReloadRejectedError: it is not; nothing changed, and that was logged and counted.
        """
        async with self._one_at_a_time:
            try:
                # Files may be slow, and so may the modules of providers that somebody else wrote.
                found, without_effect = await asyncio.to_thread(self._build)
                _require_sound(self._registry, found)
            except ConfigurationError as error:
                raise self._rejected(trigger, error) from None
            self._prepare(found)
            report = changes_between(
                self._registry, found, trigger=trigger, without_effect=without_effect
            )
            self._take_over(found, report)
        return report

    def _build(self) -> tuple[ProviderRegistry, list[str]]:
        settings = self._read()
        found = ProviderRegistry(settings, transport=self._registry.transport, log=_silent)
        return found, overridden(settings)

    def _take_over(self, found: ProviderRegistry, report: ReloadReport) -> None:
        if report.result == "applied":
            self._registry.adopt(found)
            self._on_applied(report)
        self._on_result(report.result)
        _log(report)

    def _rejected(self, trigger: Trigger, error: ConfigurationError) -> ReloadRejectedError:
        self._on_result("rejected")
        fields = {"event": "reload", "result": "rejected", "trigger": trigger}
        message = "The configuration stays as it is, the new one is wrong (%s): %s %s"
        logger.error(message, trigger, error, error.hint or "", extra={"fields": fields})
        return ReloadRejectedError(str(error), hint=error.hint)


def _require_sound(present: ProviderRegistry, found: ProviderRegistry) -> None:
    """Refuse what is worse than what the service runs with.

    Raises:
        ConfigurationError: it is; says why.
    """
    known = set(present.complaints)
    wrong = [complaint for complaint in found.complaints if complaint not in known]
    if wrong:
        raise ConfigurationError("; ".join(wrong))
    if present.get_fallback_chain() and not found.get_fallback_chain():
        raise ConfigurationError(
            "no provider of the fallback chain would be configured any more",
            hint="Keep at least one key in place, or stop the service.",
        )


def _log(report: ReloadReport) -> None:
    fields = {"event": "reload", **asdict(report)}
    if report.result == "unchanged":
        logger.info("Configuration read again (%s): unchanged", report.trigger)
        return
    logger.info("Configuration taken over %s", _sentence(report), extra={"fields": fields})
    for warning in report.warnings:
        logger.warning("Configuration: %s", warning)
    if report.needs_restart:
        logger.warning(
            "Configuration: %s will have an effect after a restart", ", ".join(report.needs_restart)
        )


def _sentence(report: ReloadReport) -> str:
    """What changed, for a person."""
    changed = (f"{name} ({', '.join(what)})" for name, what in report.providers_changed.items())
    parts = {
        "providers added": ", ".join(report.providers_added),
        "removed": ", ".join(report.providers_removed),
        "changed": ", ".join(changed),
        "settings": ", ".join(report.settings_changed),
    }
    chain = f"{' → '.join(report.chain_before)} is now {' → '.join(report.chain_after)}"
    told = [f"{what} {names}" for what, names in parts.items() if names]
    if report.chain_before != report.chain_after:
        told.append(f"chain {chain}")
    return f"({report.trigger}): {'; '.join(told) or 'the list of providers'}"
