"""What is built from what. Nothing here connects to anything; that is the lifespan's part.

Options are passed on as functions that read them: a reload changes them under the objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from faultmaven.container.embedded import EmbeddedModel
from faultmaven.container.reload import Reloader
from faultmaven.container.watch import Triggers
from faultmaven.infrastructure.llm.embedding import EmbeddingRouter
from faultmaven.infrastructure.llm.probing import Prober
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry, get_registry
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.infrastructure.llm.resilience.budget import RetryBudget
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from faultmaven.infrastructure.llm.resilience.hedging import Hedging
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.logs import AttemptLog, LogTracer
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.sessions.sqlite_store import SQLiteSessionStore
from faultmaven.knowledge.tool import RunbookSearch
from faultmaven.models.interfaces import (
    ILLMProvider,
    ISanitizer,
    ISessionStore,
    ITool,
    ITracer,
)
from faultmaven.services.admin import AdminService
from faultmaven.services.agent import AgentService
from faultmaven.services.completions import CompletionService
from faultmaven.services.embeddings import EmbeddingService
from faultmaven.services.health import HealthService
from faultmaven.services.model_directory import ModelDirectory
from faultmaven.services.reloading import ReloadReport
from faultmaven.services.sanitizer import Sanitizer
from faultmaven.services.single_flight import SingleFlight
from faultmaven.services.troubleshooting_model import TroubleshootingModel
from faultmaven.settings import ENV_FILE, this_worker

if TYPE_CHECKING:
    from faultmaven.services.doctor import DoctorService


def _sessions(registry: ProviderRegistry) -> SQLiteSessionStore:
    return SQLiteSessionStore(registry.settings.session_database)


def _redactor(registry: ProviderRegistry, *, sanitizer: ISanitizer, metrics: Metrics) -> Redactor:
    return Redactor(
        mask=sanitizer.mask,
        redact_local=lambda: registry.settings.redact_local,
        on_redaction=metrics.on_redaction,
    )


def _gate(registry: ProviderRegistry) -> ProviderGate:
    return ProviderGate(room=lambda _provider: registry.settings.provider_max_in_flight)


def _hedging(registry: ProviderRegistry) -> Hedging:
    return Hedging(percent=lambda: registry.settings.hedge_after)


def _flights(registry: ProviderRegistry, *, metrics: Metrics) -> SingleFlight:
    return SingleFlight(
        enabled=lambda: registry.settings.single_flight, on_shared=metrics.on_shared
    )


def _health(
    registry: ProviderRegistry,
    *,
    tracker: HealthTracker,
    sessions: ISessionStore,
    embedded: EmbeddedModel,
    gate: ProviderGate,
) -> HealthService:
    return HealthService(
        directory=registry,
        health=tracker,
        sessions=sessions,
        local_model=lambda: embedded.status,
        breaker_state=gate.states,
    )


def _agent(
    registry: ProviderRegistry,
    *,
    llm_provider: ILLMProvider,
    tools: Sequence[ITool],
    tracer: ITracer,
    sanitizer: ISanitizer,
    sessions: ISessionStore,
    flights: SingleFlight,
) -> AgentService:
    return AgentService(
        llm_provider=llm_provider,
        tools=tools,
        tracer=tracer,
        sanitizer=sanitizer,
        sessions=sessions,
        session_strict=lambda: registry.settings.session_strict,
        request_timeout=lambda: registry.request_timeout,
        confidence_threshold=lambda: registry.settings.confidence_threshold,
        flights=flights,
    )


def _models(registry: ProviderRegistry) -> ModelDirectory:
    return ModelDirectory(registry, model_map=lambda: registry.settings.model_map)


def _completions(
    registry: ProviderRegistry,
    *,
    llm_provider: ILLMProvider,
    models: ModelDirectory,
    agent: AgentService,
    sanitizer: ISanitizer,
    sessions: ISessionStore,
    flights: SingleFlight,
) -> CompletionService:
    return CompletionService(
        llm_provider,
        models=models,
        troubleshooting=TroubleshootingModel(
            agent,
            sessions=sessions,
            sanitizer=sanitizer,
            session_strict=lambda: registry.settings.session_strict,
        ),
        sanitizer=sanitizer,
        request_timeout=lambda: registry.request_timeout,
        flights=flights,
    )


def _reloader(
    registry: ProviderRegistry,
    *,
    embedded: EmbeddedModel,
    metrics: Metrics,
    gate: ProviderGate,
    tracker: HealthTracker,
    flights: SingleFlight,
    hedging: Hedging,
) -> Reloader:
    def give_new_chance(report: ReloadReport) -> None:
        flights.forget()  # what is asked from now on is asked of the new providers
        for name in (*report.providers_changed, *report.providers_removed):
            gate.forget(name)
            tracker.forget(name)
            hedging.forget(name)

    return Reloader(
        registry, prepare=embedded.point, on_applied=give_new_chance, on_result=metrics.on_reload
    )


def _triggers(registry: ProviderRegistry, *, reloader: Reloader) -> Triggers:
    def paths() -> list[Path]:
        further = registry.settings.providers_file
        return [ENV_FILE.absolute(), *([further.expanduser().absolute()] if further else [])]

    return Triggers(reloader.reload, paths=paths)


def _admin(registry: ProviderRegistry, *, reloader: Reloader) -> AdminService:
    return AdminService(key=lambda: registry.settings.admin_api_key, reload=reloader.reload)


def _doctor(registry: ProviderRegistry, embedded: EmbeddedModel) -> DoctorService:
    from faultmaven.services.doctor import DoctorService  # noqa: PLC0415 - no service needs it

    return DoctorService(registry, embedded)


class Core(containers.DeclarativeContainer):
    """The objects of the service, each built once, on first use.

    Tests replace any of them with ``container.core.<name>.override(...)``.
    """

    registry = providers.Callable(get_registry)
    sanitizer = providers.Singleton(Sanitizer)
    tracer = providers.Singleton(LogTracer)
    runbooks = providers.Singleton(RunbookSearch)
    sessions = providers.Singleton(_sessions, registry)
    health_tracker = providers.Singleton(HealthTracker, registry)
    gate = providers.Singleton(_gate, registry)
    metrics = providers.Singleton(
        Metrics,
        registry,
        health_tracker,
        breaker_state=gate.provided.states,
        worker=providers.Callable(this_worker),
    )
    observers = providers.List(metrics, health_tracker, providers.Singleton(AttemptLog))
    redactor = providers.Singleton(_redactor, registry, sanitizer=sanitizer, metrics=metrics)
    budget = providers.Singleton(RetryBudget)
    hedging = providers.Singleton(_hedging, registry)
    router = providers.Singleton(
        LLMRouter,
        registry,
        redactor=redactor,
        observers=observers,
        gate=gate,
        budget=budget,
        hedging=hedging,
    )
    embedder = providers.Singleton(
        EmbeddingRouter,
        registry,
        redactor=redactor,
        observers=observers,
        gate=gate,
        budget=budget,
    )
    flights = providers.Singleton(_flights, registry, metrics=metrics)
    embedded = providers.Singleton(EmbeddedModel, registry, worker=providers.Callable(this_worker))
    health = providers.Singleton(
        _health, registry, tracker=health_tracker, sessions=sessions, embedded=embedded, gate=gate
    )
    prober = providers.Singleton(
        Prober, registry, witnesses=providers.List(metrics, health_tracker)
    )
    reloader = providers.Singleton(
        _reloader,
        registry,
        embedded=embedded,
        metrics=metrics,
        gate=gate,
        tracker=health_tracker,
        flights=flights,
        hedging=hedging,
    )
    triggers = providers.Singleton(_triggers, registry, reloader=reloader)
    admin = providers.Singleton(_admin, registry, reloader=reloader)
    doctor = providers.Singleton(_doctor, registry, embedded)
    agent = providers.Singleton(
        _agent,
        registry,
        llm_provider=router,
        tools=providers.List(runbooks),
        tracer=tracer,
        sanitizer=sanitizer,
        sessions=sessions,
        flights=flights,
    )
    models = providers.Singleton(_models, registry)
    completions = providers.Singleton(
        _completions,
        registry,
        llm_provider=router,
        models=models,
        agent=agent,
        sanitizer=sanitizer,
        sessions=sessions,
        flights=flights,
    )
    embeddings = providers.Singleton(EmbeddingService, embedder, providers=registry)
