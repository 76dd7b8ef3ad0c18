"""What is known about a provider's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
class ProviderHealth:
    """What recent attempts showed of one provider.

    Attributes:
        state: ``unknown`` (not asked yet), ``healthy``, ``degraded`` or ``down``.
        availability: share of recent attempts that succeeded, in [0, 1], or ``None``.
        consecutive_failures: failures since the last success.
        last_error_class: class of the latest failure, or ``None``.
        last_error: short redacted text of the latest failure, or ``None``.
        hint: what an operator can do about it, or ``None``.
        last_success_at: Unix time in seconds of the latest success, or ``None``.
        latency_ms_p50: median of recent attempts in milliseconds, or ``None``.
        latency_ms_p95: 95th percentile of recent attempts in milliseconds, or ``None``.
    """

    state: str = "unknown"
    availability: float | None = None
    consecutive_failures: int = 0
    last_error_class: ErrorClass | None = None
    last_error: str | None = None
    hint: str | None = None
    last_success_at: float | None = None
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None


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
