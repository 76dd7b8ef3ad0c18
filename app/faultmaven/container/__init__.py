"""The composition root: the one place that names concrete classes.

`Container` is a small plain class in front of a declarative container, because
dependency-injector drops methods that are defined on a declarative container itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from faultmaven.container.core import Core
from faultmaven.container.embedded import EmbeddedModel
from faultmaven.container.watch import Triggers
from faultmaven.infrastructure.llm.probing import Prober
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry, reset_registry
from faultmaven.infrastructure.llm.transport import shared_transports
from faultmaven.infrastructure.observability.logs import configure_logging
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.shared_values import forget_present
from faultmaven.models.interfaces import ILLMProvider, ISessionStore
from faultmaven.models.worker import Worker
from faultmaven.services.admin import AdminService
from faultmaven.services.agent import AgentService
from faultmaven.services.completions import CompletionService
from faultmaven.services.embeddings import EmbeddingService
from faultmaven.services.health import HealthService
from faultmaven.settings import Settings

if TYPE_CHECKING:
    from faultmaven.services.doctor import DoctorService
    from faultmaven.services.drill import DrillService

__all__ = ["Container", "container"]


class Container:
    """What the service is made of. Importing and building it connects to nothing.

    Attributes:
        core: the declarative container, for overriding parts in tests.
    """

    def __init__(self) -> None:
        self.core = Core()
        self._initialized = False
        self._in_use = False  # whether somebody may have opened what must be closed
        self._loop: asyncio.AbstractEventLoop | None = None  # where it was opened

    @property
    def settings(self) -> Settings:
        """The service's options."""
        return self.get_registry().settings

    def get_registry(self) -> ProviderRegistry:
        """The configured providers; the same object as the registry module's."""
        registry: ProviderRegistry = self.core.registry()
        return registry

    def get_llm_provider(self) -> ILLMProvider:
        """The chain as one provider; the same object until `reset`."""
        provider: ILLMProvider = self.core.router()
        self._initialized = True
        return provider

    def get_agent_service(self) -> AgentService:
        """The service that answers troubleshooting questions."""
        self.get_llm_provider()
        self._in_use = True
        agent: AgentService = self.core.agent()
        return agent

    def get_completion_service(self) -> CompletionService:
        """The service that answers the compatible APIs."""
        self.get_agent_service()
        completions: CompletionService = self.core.completions()
        return completions

    def get_embedding_service(self) -> EmbeddingService:
        """The service that turns texts into vectors."""
        self.get_llm_provider()
        embeddings: EmbeddingService = self.core.embeddings()
        return embeddings

    def get_health_service(self) -> HealthService:
        """The service that says how things are."""
        self._in_use = True
        health: HealthService = self.core.health()
        return health

    def get_doctor(self) -> DoctorService:
        """The service that checks the configuration against the vendors."""
        doctor: DoctorService = self.core.doctor()
        return doctor

    def get_drill(self) -> DrillService:
        """The service that lets the providers of the chain fail, without their vendors."""
        from faultmaven.container.rehearsal import Rehearsal  # noqa: PLC0415 - no service needs it
        from faultmaven.services.drill import DrillService  # noqa: PLC0415 - as above

        return DrillService(Rehearsal(self.get_registry()))

    def get_admin_service(self) -> AdminService:
        """The service that does what the operator asks."""
        admin: AdminService = self.core.admin()
        return admin

    def get_metrics(self) -> Metrics:
        """What Prometheus scrapes."""
        metrics: Metrics = self.core.metrics()
        return metrics

    def get_local_model(self) -> EmbeddedModel:
        """The embedded model, started or not."""
        self._in_use = True
        embedded: EmbeddedModel = self.core.embedded()
        return embedded

    def set_up_logs(self) -> None:
        """Write the process's log lines as the settings say."""
        configure_logging(self.settings.log_format, self.settings.log_level)

    @staticmethod
    def forget_worker(worker: Worker) -> None:
        """Drop what a worker that has ended had in flight from what the others expose."""
        forget_present(worker.metrics_folder, worker.number)

    def reload(self) -> None:
        """Read the configuration again, as soon as the event loop gets to it; for a signal."""
        self.core.triggers().signalled()

    def health_check(self) -> dict[str, Any]:
        """How the container's parts are, from memory.

        ``status`` is ``not_initialized`` until a provider was asked for, then ``healthy``, or
        ``degraded`` when a dependency that was tried is down.
        """
        if not self._initialized:
            return {"status": "not_initialized", "components": {"llm_provider": False}}
        return self.get_health_service().overview()

    def reset(self) -> None:
        """Forget every object, the registry included, and close what is open.

        Where the event loop runs, it closes the session store and stops the embedded model as
        soon as it gets to it; otherwise both have ended when this returns.
        """
        self._initialized = False
        if self._in_use:
            self._in_use = False
            _run_on(self._loop, self._release())
        self._loop = None
        for transport in shared_transports():
            transport.discard()
        reset_registry()
        self.core.reset_singletons()

    async def start(self) -> None:
        """Connect: open the session store and start what serves the local provider."""
        self.get_llm_provider()
        self._loop = asyncio.get_running_loop()
        if self.settings.reload_watch:
            self.core.triggers().watch()
        await self.core.sessions().open()
        await self.get_local_model().start()

    def begin_probing(self) -> None:
        """Begin to make the providers' free calls now and then; `stop` and `reset` end it."""
        self._in_use = True
        self.core.prober().start()

    async def stop(self) -> None:
        """Disconnect from everything; the container can be started again."""
        await self._release()
        for transport in shared_transports():
            await transport.aclose()
        self._in_use, self._loop = False, None

    def _release(self) -> Coroutine[Any, Any, None]:
        """End what was started; the parts as they are now, whenever it is awaited."""
        core = self.core
        return _release(core.triggers(), core.prober(), core.embedded(), core.sessions())


async def _release(
    triggers: Triggers, prober: Prober, embedded: EmbeddedModel, sessions: ISessionStore
) -> None:
    await triggers.aclose()
    await prober.stop()
    await embedded.stop()
    await sessions.aclose()


def _run_on(loop: asyncio.AbstractEventLoop | None, closing: Coroutine[Any, Any, None]) -> None:
    """Let ``closing`` run where things were opened, else on the loop at hand, else on a new one."""
    if loop is None or loop.is_closed():
        loop = _running_loop()
    if loop is None:
        asyncio.run(closing)
    elif loop.is_running():
        asyncio.run_coroutine_threadsafe(closing, loop)
    else:
        loop.run_until_complete(closing)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


container = Container()
"""The process's container."""
