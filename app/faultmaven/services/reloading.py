"""What came of reading the configuration again while the service runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from faultmaven.errors import ConfigurationError

Trigger = Literal["signal", "request", "file"]
"""Why it was read again: SIGHUP, the admin route, or a file that changed."""


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload changed, by name; no value of any option is in it.

    Attributes:
        result: ``applied``, or ``unchanged`` where everything reads as before.
        trigger: why the configuration was read again.
        providers_added: providers that can be asked now.
        providers_removed: providers that cannot be asked any more.
        providers_changed: what is configured otherwise, by provider, such as ``api_key``.
        chain_before: the order in which providers were asked.
        chain_after: the order in which they are asked now.
        settings_changed: variables of the service's own options.
        needs_restart: those among them that are read at the start alone.
        warnings: what looks wrong and was not so before, or has no effect.
    """

    result: Literal["applied", "unchanged"]
    trigger: Trigger
    providers_added: Sequence[str]
    providers_removed: Sequence[str]
    providers_changed: Mapping[str, Sequence[str]]
    chain_before: Sequence[str]
    chain_after: Sequence[str]
    settings_changed: Sequence[str]
    needs_restart: Sequence[str]
    warnings: Sequence[str]


Reload = Callable[[Trigger], Awaitable[ReloadReport]]
"""Reads the configuration again; raises `ReloadRejectedError` where it is wrong."""


class ReloadRejectedError(ConfigurationError):
    """The new configuration is wrong, so the service goes on with the one it has.

    The message says where it is wrong and shows no value.
    """

    status = 422
    slug = "configuration_rejected"
    title = "The new configuration is wrong"
