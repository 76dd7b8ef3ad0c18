"""What the service says about itself: the records behind the health endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faultmaven.models.status import LocalModelState, LocalModelStatus, ProviderHealth

Status = Literal["healthy", "degraded", "not_initialized"]
ProviderState = Literal["not_configured", "unknown", "healthy", "degraded", "starting", "down"]
BreakerState = Literal["closed", "half_open", "open"]


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """Everything that is known about one provider, without asking it.

    Attributes:
        available: whether it is configured; says nothing about the vendor's state.
        in_fallback_chain: whether the chain asks it.
        state: what can be expected of it now. `unknown` means that nothing was heard lately
            that tells whether it answers, `starting` that the embedded model is being fetched or
            loaded.
        misconfigured: whether it is down for a reason that only its operator can mend: a
            refused key, or a model that does not exist.
        breaker: `open` while it is left alone because it failed, `half_open` while one request
            tries whether it is back, `closed` otherwise; the worst of its models.
        model: model it is asked for.
        default_model: model of its schema row, used when `model_var` is not set.
        models: models it can be asked for, the default first.
        confidence_score: prior confidence of its answers, 0 to 1.
        kind: Commercial, Open Source, Aggregator or Self-Hosted.
        best_for: what it is good at.
        context_window: tokens that fit, as people say it.
        context_tokens: tokens that fit the model, if known.
        missing: why it is not available.
        warnings: what looks wrong in its configuration.
        model_var: environment variable that names the model.
        api_key_var: environment variable that holds the key.
        base_url_var: environment variable that holds the address.
        health: what recent attempts and free calls showed.
    """

    available: bool
    in_fallback_chain: bool
    state: ProviderState
    misconfigured: bool
    breaker: BreakerState
    model: str | None
    default_model: str
    models: list[str]
    confidence_score: float
    kind: str
    best_for: str
    context_window: str | int | None
    context_tokens: int | None
    missing: str | None
    warnings: list[str]
    model_var: str
    api_key_var: str | None
    base_url_var: str | None
    health: ProviderHealth

    @property
    def may_answer(self) -> bool:
        """Whether it is worth asking, now or as soon as it has started."""
        return self.available and self.state != "down"


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of the service, in figures.

    Attributes:
        llm_provider: whether at least one provider of the chain may answer.
        provider_count: configured providers.
        fallback_chain_length: providers the chain asks.
    """

    llm_provider: bool
    provider_count: int
    fallback_chain_length: int


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the service depends on, from memory.

    Attributes:
        status: `healthy` while no provider of the chain is known to be in trouble, `degraded`
            when one is, `not_initialized` when the chain is empty.
        components: the figures.
        providers: every provider of the schema, by name.
        fallback_chain: the order in which providers are asked.
        local_model: where the embedded model is in its life.
    """

    status: Status
    components: Components
    providers: dict[str, ProviderReport]
    fallback_chain: list[str]
    local_model: LocalModelStatus


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The providers, for whoever chooses one.

    Attributes:
        providers: every provider of the schema, by name.
        fallback_chain: the order in which providers are asked.
    """

    providers: dict[str, ProviderReport]
    fallback_chain: list[str]


@dataclass(frozen=True, slots=True)
class Liveness:
    """The process runs; nothing else is looked at."""

    status: Literal["alive"] = "alive"


@dataclass(frozen=True, slots=True)
class ReadinessChecks:
    """What traffic needs. The state of providers is none of it.

    Attributes:
        session_store: whether conversations can be read.
        provider_configured: whether there is anybody to ask.
    """

    session_store: bool
    provider_configured: bool


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the service can take traffic.

    Attributes:
        status: `ready` when every check holds; `draining` when the service is about to end.
        checks: the checks.
    """

    status: Literal["ready", "not_ready", "draining"]
    checks: ReadinessChecks


@dataclass(frozen=True, slots=True)
class Summary:
    """The service at a glance.

    Attributes:
        status: as `/health/dependencies` has it.
        ready: as `/health/ready` has it.
        llm_provider: whether at least one provider of the chain may answer.
        fallback_chain: the order in which providers are asked.
        providers: state of every configured provider, by name.
        local_model: state of the embedded model.
    """

    status: Status
    ready: bool
    llm_provider: bool
    fallback_chain: list[str]
    providers: dict[str, ProviderState]
    local_model: LocalModelState
