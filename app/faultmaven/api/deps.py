"""The services behind the endpoints, from the application's state."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from faultmaven.errors import NotInitializedError
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.services.admin import AdminService
from faultmaven.services.agent import AgentService
from faultmaven.services.completions import CompletionService
from faultmaven.services.embeddings import EmbeddingService
from faultmaven.services.health import HealthService

_FIXES = (
    "(1) See GET /health/live and the service's log: it may still be starting. "
    "(2) A provider of your own must implement generate, is_available and get_supported_models. "
    "(3) It needs a row in PROVIDER_SCHEMA or in the providers file: run faultmaven providers. "
    "(4) In tests, call container.reset() and start the application anew."
)


@dataclass(frozen=True, slots=True)
class Services:
    """What the endpoints call.

    Attributes:
        agent: answers questions.
        completions: answers conversations of the compatible APIs, and knows their models.
        embeddings: turns texts into vectors.
        health: says how the service is.
        metrics: what Prometheus scrapes.
        admin: does what the operator asks.
    """

    agent: AgentService
    completions: CompletionService
    embeddings: EmbeddingService
    health: HealthService
    metrics: Metrics
    admin: AdminService


def services_of(request: Request) -> Services:
    """The services of the application that serves ``request``.

    Raises:
        NotInitializedError: it has not started, or has stopped.
    """
    services: Services | None = getattr(request.scope["app"].state, "services", None)
    if services is None:
        raise NotInitializedError("Service not available: Container not initialized.", hint=_FIXES)
    return services
