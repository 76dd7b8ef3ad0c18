"""Check the configuration for real: the environment, every provider, the embedded model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from faultmaven.errors import ConfigurationError
from faultmaven.models.interfaces import ILLMProvider, ProviderConfig
from faultmaven.models.status import CheckResult
from faultmaven.services.doctor.embedded import EmbeddedAbility, examine_embedded
from faultmaven.services.doctor.env_file import examine_env_file
from faultmaven.services.doctor.environment import examine_chain, examine_port, known_variables
from faultmaven.services.doctor.finding import Finding
from faultmaven.services.doctor.provider import (
    cannot_be_checked,
    check_failed,
    check_findings,
    key_findings,
    not_configured,
)
from faultmaven.settings import ENV_FILE, Settings

__all__ = ["DoctorService", "EmbeddedAbility", "Finding", "unreadable_configuration"]

CHECK_SECONDS = 10.0
"""Seconds a provider's free call may take."""

T = TypeVar("T")

_GRACE_SECONDS = 1.0  # a check that minds its own timeout ends within it
_SEVERAL = 2


class ProviderDirectory(Protocol):
    """Who is configured; the registry is one."""

    settings: Settings
    problems: list[str]

    def get_provider_status(self) -> dict[str, dict[str, Any]]:
        """What is known about every provider, without asking any."""
        ...

    def get_fallback_chain(self) -> list[str]:
        """The order in which providers are asked."""
        ...

    def get_provider(self, name: str) -> ILLMProvider:
        """The configured provider of that name."""
        ...

    def get_config(self, name: str) -> ProviderConfig:
        """What it is configured with."""
        ...


class EmbeddedModelAbility(Protocol):
    """Knows whether the embedded model could run here."""

    async def ability(self) -> EmbeddedAbility:
        """Look at engine, weights, disk and memory; starts and fetches nothing."""
        ...


@runtime_checkable
class _Checkable(Protocol):
    async def check(self, *, timeout: float) -> CheckResult: ...  # noqa: ASYNC109 - as `ICheckable`


@runtime_checkable
class _KeysCheckable(Protocol):
    async def check_keys(self, *, timeout: float) -> tuple[CheckResult, ...]: ...  # noqa: ASYNC109 - as above


class DoctorService:
    """Asks each provider's free call and looks at what surrounds the service.

    Args:
        directory: the configured providers.
        embedded: what knows about the embedded model.
        env_file: the file the configuration came from.
    """

    def __init__(
        self,
        directory: ProviderDirectory,
        embedded: EmbeddedModelAbility,
        *,
        env_file: Path = ENV_FILE,
    ) -> None:
        self._directory = directory
        self._embedded = embedded
        self._env_file = env_file

    async def examine(self, *, seconds: float = CHECK_SECONDS) -> list[Finding]:
        """Everything that was found: the environment first, then providers in schema order.

        Spends no tokens. Checks run at the same time, so the whole takes little longer than the
        slowest.

        Args:
            seconds: how long a provider's free call may take.
        """
        ability = await self._embedded.ability()
        return [
            *self._environment(),
            *await self._providers(ability, seconds),
            *examine_embedded(ability),
        ]

    def _environment(self) -> Iterable[Finding]:
        settings, status = self._directory.settings, self._directory.get_provider_status()
        yield from examine_env_file(self._env_file, known_variables(status))
        yield from (Finding("problem", "schema", problem) for problem in self._directory.problems)
        yield from examine_chain(settings, status, self._directory.get_fallback_chain())
        yield examine_port(settings.host, settings.port)

    async def _providers(self, ability: EmbeddedAbility, seconds: float) -> list[Finding]:
        names = self._directory.get_provider_status()
        found = await asyncio.gather(*(self._provider(name, ability, seconds) for name in names))
        return [finding for findings in found for finding in findings]

    async def _provider(
        self, name: str, ability: EmbeddedAbility, seconds: float
    ) -> Sequence[Finding]:
        status, config = (
            self._directory.get_provider_status()[name],
            self._directory.get_config(name),
        )
        if not status["available"]:
            return [not_configured(name, status)]
        provider = self._directory.get_provider(name)
        if not isinstance(provider, _Checkable):
            return [cannot_be_checked(name)]
        outcome = await _outcome(provider.check(timeout=seconds), seconds)
        if isinstance(outcome, BaseException):
            return [check_failed(name, outcome)]
        spared = config.local and ability.wanted
        findings = list(check_findings(config, status, outcome, spared=spared))
        if outcome.error_class is None:
            findings.extend(await _each_key(provider, config, seconds))
        return findings


async def _each_key(
    provider: _Checkable, config: ProviderConfig, seconds: float
) -> Sequence[Finding]:
    """What there is to say of several keys; nothing of a single one."""
    if len(config.all_keys) < _SEVERAL or not isinstance(provider, _KeysCheckable):
        return []
    outcome = await _outcome(provider.check_keys(timeout=seconds), seconds)
    if isinstance(outcome, BaseException):
        return [check_failed(config.name, outcome)]
    return list(key_findings(config, outcome))


async def _outcome(check: Awaitable[T], seconds: float) -> T | BaseException:
    """What a check gave, be it an error: a provider may be written by somebody else."""
    bounded = asyncio.wait_for(check, seconds + _GRACE_SECONDS)
    [outcome] = await asyncio.gather(bounded, return_exceptions=True)
    return outcome


def unreadable_configuration(
    error: ConfigurationError, *, env_file: Path = ENV_FILE
) -> list[Finding]:
    """What can be said when the configuration cannot even be read."""
    problem = Finding("problem", "environment", str(error), error.hint)
    return [*examine_env_file(env_file, known_variables({})), problem]
