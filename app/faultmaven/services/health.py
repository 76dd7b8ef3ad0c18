"""How the service is: whether it lives, can take traffic, and what its dependencies are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol, cast

from faultmaven.errors import ErrorClass
from faultmaven.models.interfaces import ISessionStore
from faultmaven.models.status import LocalModelStatus, ProviderHealth
from faultmaven.services.health_report import (
    BreakerState,
    Catalogue,
    Components,
    Dependencies,
    Liveness,
    ProviderReport,
    ProviderState,
    Readiness,
    ReadinessChecks,
    Status,
    Summary,
)

_EMBEDDED = "local"  # the provider that the embedded model stands behind
_MISCONFIGURED = frozenset({ErrorClass.AUTH, ErrorClass.MODEL_NOT_FOUND})
_UNTROUBLED: frozenset[ProviderState] = frozenset({"healthy", "unknown"})


class ProviderDirectory(Protocol):
    """Knows the providers and their order."""

    def get_provider_status(self) -> dict[str, dict[str, Any]]:
        """What is configured for every provider of the schema."""
        ...

    def get_fallback_chain(self) -> list[str]:
        """The order in which providers are asked."""
        ...


class HealthSource(Protocol):
    """Knows what recent attempts and free calls showed."""

    def snapshot(self) -> Mapping[str, ProviderHealth]:
        """The health of every provider that anything was heard of."""
        ...


class HealthService:
    """Answers from memory; only `readiness` and `summary` touch the session store.

    Args:
        directory: the configured providers.
        health: what attempts and free calls at them showed.
        sessions: the service's own store.
        local_model: tells where the embedded model is in its life.
        breaker_state: tells how the worst breaker of a provider stands.
    """

    def __init__(
        self,
        *,
        directory: ProviderDirectory,
        health: HealthSource,
        sessions: ISessionStore,
        local_model: Callable[[], LocalModelStatus],
        breaker_state: Callable[[str], str] = lambda _provider: "closed",
    ) -> None:
        self._directory = directory
        self._health = health
        self._sessions = sessions
        self._local_model = local_model
        self._breaker_state = breaker_state
        self._draining = False

    def begin_drain(self) -> None:
        """Send new traffic elsewhere from now on; what comes all the same is served."""
        self._draining = True

    @staticmethod
    def liveness() -> Liveness:
        """The process runs; needs nothing that has to be started."""
        return Liveness()

    async def readiness(self) -> Readiness:
        """Whether the service can take traffic; the state of providers plays no part."""
        checks = ReadinessChecks(
            session_store=await self._sessions.is_healthy(),
            provider_configured=bool(self._directory.get_fallback_chain()),
        )
        if self._draining:
            return Readiness("draining", checks)
        ready = checks.session_store and checks.provider_configured
        return Readiness("ready" if ready else "not_ready", checks)

    def dependencies(self) -> Dependencies:
        """The providers, their order, and the embedded model."""
        providers = self._reports()
        chain = self._directory.get_fallback_chain()
        asked = [providers[name] for name in chain]
        return Dependencies(
            status=_status(asked),
            components=Components(
                llm_provider=any(report.may_answer for report in asked),
                provider_count=sum(report.available for report in providers.values()),
                fallback_chain_length=len(chain),
            ),
            providers=providers,
            fallback_chain=chain,
            local_model=self._local_model(),
        )

    def catalogue(self) -> Catalogue:
        """The providers, for whoever chooses one."""
        return Catalogue(self._reports(), self._directory.get_fallback_chain())

    async def summary(self) -> Summary:
        """The service at a glance."""
        readiness, found = await self.readiness(), self.dependencies()
        return Summary(
            status=found.status,
            ready=readiness.status == "ready",
            llm_provider=found.components.llm_provider,
            fallback_chain=found.fallback_chain,
            providers={
                name: report.state for name, report in found.providers.items() if report.available
            },
            local_model=found.local_model.state,
        )

    def overview(self) -> dict[str, Any]:
        """The documented short form: ``status`` and ``components``."""
        found = self.dependencies()
        return {"status": found.status, "components": asdict(found.components)}

    def _reports(self) -> dict[str, ProviderReport]:
        health, embedded = self._health.snapshot(), self._local_model()
        return {
            name: _report(
                status,
                health.get(name, ProviderHealth()),
                embedded if name == _EMBEDDED else LocalModelStatus(),
                breaker=self._breaker_state(name),
            )
            for name, status in self._directory.get_provider_status().items()
        }


def _status(asked: list[ProviderReport]) -> Status:
    if not asked:
        return "not_initialized"
    return "healthy" if all(report.state in _UNTROUBLED for report in asked) else "degraded"


def _report(
    status: Mapping[str, Any],
    health: ProviderHealth,
    embedded: LocalModelStatus,
    *,
    breaker: str,
) -> ProviderReport:
    models = status["models"]
    state = _state(health, embedded) if status["available"] else "not_configured"
    return ProviderReport(
        available=status["available"],
        in_fallback_chain=status["in_fallback_chain"],
        state=state,
        misconfigured=state == "down" and health.last_error_class in _MISCONFIGURED,
        breaker=cast("BreakerState", breaker),
        model=models[0] if models else None,
        default_model=status["default_model"],
        models=models,
        confidence_score=status["confidence_score"],
        kind=status["kind"],
        best_for=status["best_for"],
        context_window=status["context_window"],
        context_tokens=status["context_tokens"],
        missing=status["missing"],
        warnings=status["warnings"],
        model_var=status["model_var"],
        api_key_var=status["api_key_var"],
        base_url_var=status["base_url_var"],
        health=health,
    )


def _state(health: ProviderHealth, embedded: LocalModelStatus) -> ProviderState:
    """What was heard of it, unless the embedded model is known to be elsewhere in its life."""
    if embedded.state in {"off", "ready"}:
        return cast("ProviderState", health.state)
    return "down" if embedded.state in {"failed", "stopped"} else "starting"
