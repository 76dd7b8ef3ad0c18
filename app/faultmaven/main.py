"""The service: routes, middleware, and what happens when it starts and stops."""

from __future__ import annotations

import importlib.metadata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.types import ASGIApp

from faultmaven.api import admin, health, metrics, providers, query
from faultmaven.api.admission import AdmissionMiddleware, Room
from faultmaven.api.allowed_hosts import AllowedHostsMiddleware
from faultmaven.api.anthropic import described as anthropic
from faultmaven.api.anthropic import messages
from faultmaven.api.anthropic.errors import as_anthropic_error
from faultmaven.api.body_limit import BodyLimitMiddleware
from faultmaven.api.deps import Services
from faultmaven.api.direct_routes import DirectRoutes
from faultmaven.api.docs import install_docs
from faultmaven.api.door import Door
from faultmaven.api.errors import install_error_handlers
from faultmaven.api.middleware import RequestMiddleware
from faultmaven.api.openai import chat, embeddings, models
from faultmaven.api.openai import described as openai
from faultmaven.api.openai.errors import as_openai_error
from faultmaven.api.openapi import DescribedAPI
from faultmaven.api.start_failure import StartFailureMiddleware, note_start_failure
from faultmaven.errors import FaultMavenError
from faultmaven.infrastructure.observability.logs import configure_logging
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.services.admin import AdminService
from faultmaven.services.agent import AgentService
from faultmaven.services.completions import CompletionService
from faultmaven.services.embeddings import EmbeddingService
from faultmaven.services.health import HealthService
from faultmaven.settings import Settings, load_settings

_DESCRIPTION = """
FaultMaven answers troubleshooting questions by asking LLM providers in order until one answers
well enough. Every error is `application/problem+json` with a `request_id` and, where something
can be done, a `hint`.
"""


class Configured(Protocol):
    """Has the present options; a reload replaces them."""

    @property
    def settings(self) -> Settings:
        """The service's options."""
        ...


class ServiceContainer(Protocol):
    """What the application needs of the composition root."""

    def get_registry(self) -> Configured:
        """What knows the options; the same object until the container is reset."""
        ...

    def get_agent_service(self) -> AgentService:
        """The service that answers questions."""
        ...

    def get_completion_service(self) -> CompletionService:
        """The service that answers the compatible APIs."""
        ...

    def get_embedding_service(self) -> EmbeddingService:
        """The service that turns texts into vectors."""
        ...

    def get_health_service(self) -> HealthService:
        """The service that says how things are."""
        ...

    def get_metrics(self) -> Metrics:
        """What Prometheus scrapes."""
        ...

    def get_admin_service(self) -> AdminService:
        """The service that does what the operator asks."""
        ...

    async def start(self) -> None:
        """Connect."""
        ...

    def begin_probing(self) -> None:
        """Begin to make the providers' free calls."""
        ...

    async def stop(self) -> None:
        """Disconnect from everything that was connected."""
        ...


def create_app(container: ServiceContainer | None = None) -> FastAPI:
    """Build the application; it connects to nothing before it is started.

    Args:
        container: the composition root; the process's own by default.

    Raises:
        ConfigurationError: the environment, ``.env`` or the providers file is wrong.
    """
    container = container or _process_container()
    registry = container.get_registry()  # what is wrong with the configuration shows here
    app = DescribedAPI(
        title="FaultMaven",
        version=importlib.metadata.version("faultmaven"),
        summary="An LLM gateway for troubleshooting.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        # It would send callers to an address made of their own Host header.
        redirect_slashes=False,
        lifespan=_lifespan(container),
    )
    app.state.registry = registry
    install_error_handlers(app, {"/v1": as_openai_error, "/v1/messages": as_anthropic_error})
    install_docs(app)
    for protocol in (openai, anthropic):
        app.describe(*protocol.BODIES, examples=protocol.EXAMPLES)
    for room in (query, chat, messages, embeddings, models, providers, health, metrics, admin):
        app.include_router(room.router)
    app.put_in_front(lambda routes: _guarded(routes, app, container))
    return app


def _guarded(routes: ASGIApp, app: FastAPI, container: ServiceContainer) -> ASGIApp:
    """What every request meets on its way to the routes, the outermost last."""

    def settings() -> Settings:
        present: Settings = app.state.registry.settings
        return present

    metrics = container.get_metrics()
    room = Room(places=lambda: settings().max_in_flight, queue=lambda: settings().max_queue)
    busiest = [part.router for part in (query, chat, messages, embeddings)]
    served: ASGIApp = DirectRoutes(routes, routers=busiest, handlers=app.exception_handlers)
    served = BodyLimitMiddleware(served, bounds=settings)
    served = admission = AdmissionMiddleware(served, room=room, on_shed=metrics.on_shed)
    served = hosts = AllowedHostsMiddleware(served, names=settings)
    app.state.door = Door(
        room=room, shedding=admission.shedding, is_allowed=hosts.is_allowed, metrics=metrics
    )
    return RequestMiddleware(StartFailureMiddleware(served), metrics=metrics)


def _lifespan(
    container: ServiceContainer,
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        try:
            await container.start()
            app.state.registry = container.get_registry()
            app.state.services = Services(
                agent=container.get_agent_service(),
                completions=container.get_completion_service(),
                embeddings=container.get_embedding_service(),
                health=container.get_health_service(),
                metrics=container.get_metrics(),
                admin=container.get_admin_service(),
            )
            container.begin_probing()
            yield {"door": app.state.door}  # for a server that asks at the door
        except FaultMavenError as failure:
            note_start_failure(app, failure)
            raise
        finally:
            # Also after a start that failed half-way: what did open must close.
            app.state.services = None
            await container.stop()

    return lifespan


def _process_container() -> ServiceContainer:
    """The process's container; loaded on demand, since tests bring their own."""
    from faultmaven.container import container  # noqa: PLC0415 - nothing slow at import

    # Before the container is asked for anything: discovery logs what it finds.
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    return container
