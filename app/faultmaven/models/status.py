"""What is known about a provider's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from faultmaven.errors import ErrorClass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a provider's free call showed.

    Attributes:
        reachable: whether a server answered at all.
        key_accepted: whether the key works; ``None`` if the call cannot tell.
        model_found: whether the configured model is served; ``None`` if the call cannot tell.
        models: names the provider lists, in its own order; may be empty.
        error_class: how the call failed, or ``None``.
        detail: short redacted text of the failure, or ``None``.
        hint: what to do about it, or ``None``.
    """

    reachable: bool
    key_accepted: bool | None = None
    model_found: bool | None = None
    models: tuple[str, ...] = ()
    error_class: ErrorClass | None = None
    detail: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """What one free call says of a provider's health.

    Attributes:
        provider: name as in ``PROVIDER_SCHEMA``.
        latency_ms: milliseconds it took.
        holds: seconds for which it says something, should no other follow.
        error_class: how it failed, or ``None``; ``model_not_found`` also where the provider lists
            its models and the configured one is not among them.
        detail: short redacted text of the failure, or ``None``.
        hint: what an operator can do about it, or ``None``.
        key_accepted: whether it shows that the key works, or that none is needed.
        model_found: whether it shows that the configured model is served.
    """

    provider: str
    latency_ms: float
    holds: float
    error_class: ErrorClass | None = None
    detail: str | None = None
    hint: str | None = None
    key_accepted: bool = False
    model_found: bool = False

    @property
    def outcome(self) -> str:
        """``ok``, or the class of the failure: a closed set, fit for a metric label."""
        return "ok" if self.error_class is None else self.error_class.value


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The latest free call at a provider, to be read by people.

    Attributes:
        at: when it ended.
        outcome: ``ok``, or the class of the failure.
        latency_ms: milliseconds it took.
        detail: short redacted text of the failure, or ``None``.
    """

    at: datetime
    outcome: str
    latency_ms: float
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """What recent attempts and free calls showed of one provider.

    Attributes:
        state: ``unknown`` (nothing heard), ``healthy``, ``degraded`` or ``down``.
        availability: share of the attempts of the last five minutes that succeeded, in [0, 1], or
            ``None`` without any.
        consecutive_failures: attempts that failed since the last success, or since free calls saw
            the end of an outage.
        last_error_class: class of the failure that matters now, else of the latest, or ``None``.
        last_error: short redacted text of that failure, or ``None``.
        last_error_at: when it happened, or ``None``.
        hint: what an operator can do about it, or ``None`` where it is over.
        last_success_at: when an attempt last succeeded, or ``None``.
        latency_ms_p50: median of recent answers in milliseconds, or ``None``.
        latency_ms_p95: 95th percentile of recent answers in milliseconds, or ``None``.
        latency_ms_p99: 99th percentile of recent answers in milliseconds, or ``None``.
        last_probe: the latest free call, or ``None``.
    """

    state: str = "unknown"
    availability: float | None = None
    consecutive_failures: int = 0
    last_error_class: ErrorClass | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    hint: str | None = None
    last_success_at: datetime | None = None
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    latency_ms_p99: float | None = None
    last_probe: ProbeReport | None = None


LocalModelState = Literal[
    "off", "starting", "downloading", "loading", "ready", "restarting", "failed", "stopped"
]


@dataclass(frozen=True, slots=True)
class LocalModelStatus:
    """One moment in the life of the embedded model.

    Attributes:
        state: ``off`` when none was started; ``failed`` and ``stopped`` are final.
        progress: share of the weights that is here, in [0, 1], while ``downloading``.
        message: one sentence for a person.
        hint: what a person can do about it, or ``None``.
        model: the model's name at its server.
        base_url: address of its server, without ``/v1``; empty unless started.
    """

    state: LocalModelState = "off"
    progress: float | None = None
    message: str = ""
    hint: str | None = None
    model: str = ""
    base_url: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in {"failed", "stopped"}


OnLocalModelStatus = Callable[[LocalModelStatus], None]
"""Told every change, from the event loop; must not block."""
