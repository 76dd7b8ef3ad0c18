"""The application in process: real routes, middleware, chain, metrics, health and store.

Only the vendors are played: the container's chain asks scripted providers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from doubles import Play, Say, row, schema, scripted, settings_of
from faultmaven.container.reload import Reloader
from faultmaven.infrastructure.llm.embedding import EmbeddingRouter
from faultmaven.infrastructure.llm.probing import Prober
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.logs import AttemptLog
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.sessions.sqlite_store import SQLiteSessionStore
from faultmaven.main import create_app
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse
from faultmaven.models.examples import RESPONSE
from faultmaven.models.interfaces import ILLMProvider
from faultmaven.models.status import LocalModelStatus
from faultmaven.services.admin import AdminService
from faultmaven.services.agent import AgentService
from faultmaven.services.completions import CompletionService
from faultmaven.services.embeddings import EmbeddingService
from faultmaven.services.health import HealthService
from faultmaven.services.model_directory import ModelDirectory
from faultmaven.services.sanitizer import Sanitizer
from faultmaven.services.single_flight import SingleFlight
from faultmaven.services.troubleshooting_model import TroubleshootingModel
from faultmaven.settings import Settings

QUESTION: dict[str, Any] = {
    "query": "Test troubleshooting query",
    "session_id": "test-session",
}
TROUBLESHOOT = "/api/v1/query/troubleshoot"


@dataclass
class Recorder:
    """An agent that notes what it is given and answers with the documented example."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    async def troubleshoot(
        self, request: TroubleshootRequest, **circumstances: Any
    ) -> TroubleshootResponse:
        """Note the question."""
        self.asked.append({"request": request, **circumstances})
        return TroubleshootResponse.model_validate(RESPONSE)


@dataclass
class Container:
    """A composition root small enough to read, over the real parts."""

    settings: Settings
    registry: ProviderRegistry
    sessions: SQLiteSessionStore
    agent: Any = None
    llm: ILLMProvider | None = None
    local_model: LocalModelStatus = field(default_factory=LocalModelStatus)
    start_error: Exception | None = None
    life: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Compose what is not given."""
        self.tracker = HealthTracker(self.registry)
        self.metrics = Metrics(self.registry, self.tracker)
        observers = (self.metrics, self.tracker, AttemptLog())
        self.prober = Prober(self.registry, witnesses=(self.metrics, self.tracker))
        self.llm = self.llm or LLMRouter(self.registry, observers=observers)
        flights = SingleFlight(
            enabled=self.settings.single_flight, on_shared=self.metrics.on_shared
        )
        self.agent = self.agent or AgentService(
            llm_provider=self.llm,
            sessions=self.sessions,
            session_strict=self.settings.session_strict,
            request_timeout=self.settings.request_timeout,
            confidence_threshold=self.settings.confidence_threshold,
            flights=flights,
        )
        self.completions = CompletionService(
            self.llm,
            models=ModelDirectory(self.registry, model_map=self.settings.model_map),
            troubleshooting=TroubleshootingModel(
                self.agent,
                sessions=self.sessions,
                sanitizer=Sanitizer(),
                session_strict=self.settings.session_strict,
            ),
            request_timeout=self.settings.request_timeout,
            flights=flights,
        )
        embedder = EmbeddingRouter(self.registry, observers=observers)
        self.embeddings = EmbeddingService(embedder, providers=self.registry)
        self.health = HealthService(
            directory=self.registry,
            health=self.tracker,
            sessions=self.sessions,
            local_model=lambda: self.local_model,
        )

    def get_registry(self) -> ProviderRegistry:
        """Give the registry."""
        return self.registry

    def get_agent_service(self) -> Any:
        """Give the agent."""
        return self.agent

    def get_completion_service(self) -> CompletionService:
        """Give the service behind the compatible APIs."""
        return self.completions

    def get_embedding_service(self) -> EmbeddingService:
        """Give the service that turns texts into vectors."""
        return self.embeddings

    def get_health_service(self) -> HealthService:
        """Give the health service."""
        return self.health

    def get_metrics(self) -> Metrics:
        """Give the metrics."""
        return self.metrics

    def get_admin_service(self) -> AdminService:
        """Give the service that does what the operator asks."""
        reloader = Reloader(self.registry, on_result=self.metrics.on_reload)
        return AdminService(key=lambda: self.settings.admin_api_key, reload=reloader.reload)

    async def start(self) -> None:
        """Connect."""
        self.life.append("start")
        await self.sessions.open()
        if self.start_error is not None:
            raise self.start_error

    def begin_probing(self) -> None:
        """Begin to probe whoever has a free call."""
        self.prober.start()

    async def stop(self) -> None:
        """Disconnect."""
        self.life.append("stop")
        await self.prober.stop()
        await self.sessions.aclose()


def container_of(
    folder: Path,
    *plays: Play,
    variables: Mapping[str, str] | None = None,
    rows: Mapping[str, Any] | None = None,
    agent: Any = None,
    llm: ILLMProvider | None = None,
) -> Container:
    """Compose a service whose chain is one scripted provider ``one``, or the given rows.

    Args:
        folder: where its files go.
        plays: what the scripted provider plays.
        variables: further variables of its environment.
        rows: the providers instead.
        agent: who answers questions, instead of the real agent.
        llm: who answers completions, instead of the chain.
    """
    settings = settings_of(
        {"FAULTMAVEN_DATA_DIR": str(folder), "CHAT_PROVIDER": "one", **(variables or {})}
    )
    one = {"one": row(scripted(*(plays or (Say(),))))}
    with schema(one if rows is None else rows):
        registry = ProviderRegistry(settings)
    return Container(settings, registry, SQLiteSessionStore(settings.session_database), agent, llm)


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[FastAPI]:
    """Run an application's lifespan around a block."""
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def client_of(container: Container) -> AsyncIterator[httpx.AsyncClient]:
    """Start a service and give a client for it."""
    async with started(create_app(container)) as app, unstarted_client(app) as client:
        yield client


@asynccontextmanager
async def unstarted_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client for an application as it is."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


def problem(response: httpx.Response) -> dict[str, Any]:
    """Read a problem body, having checked what every one promises."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["type"].startswith("urn:faultmaven:problem:")
    assert body["title"]
    assert body["detail"]
    return body


async def sample(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """Read one value from ``/metrics``."""
    text = (await client.get("/metrics")).text
    for family in text_string_to_metric_families(text):
        for found in family.samples:
            if found.name == name and found.labels == labels:
                return found.value
    raise AssertionError(f"no {name} with {labels}")


def scope_of(path: str, *, method: str = "POST", **headers: str) -> dict[str, Any]:
    """Describe a JSON request as a server does, for tests that play the server."""
    named = {"content_type": "application/json", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("service", 80),
        "client": ("client", 1),
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in named.items()
        ],
    }


class Stuck:
    """An agent that never answers, and notes how it ends."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def troubleshoot(
        self, request: TroubleshootRequest, **_circumstances: Any
    ) -> TroubleshootResponse:
        """Wait for ever."""
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError(f"for ever is over for {request.session_id}")
