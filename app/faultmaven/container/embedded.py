"""The embedded model's place among the providers: whether it runs, and who is told its address."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.llm.providers.local_provider import EMBEDDED
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.local_model.decision import Circumstances, Decision, decide
from faultmaven.infrastructure.local_model.detect import find_local_server
from faultmaven.models.status import LocalModelStatus, OnLocalModelStatus
from faultmaven.models.worker import ModelAddress, Worker

if TYPE_CHECKING:
    from faultmaven.infrastructure.local_model.supervisor import LocalModelServer
    from faultmaven.services.doctor import EmbeddedAbility

logger = logging.getLogger(__name__)

_CONTEXT = 8192  # tokens, prompt and answer together; a laptop's memory holds their cache
# A question that comes while the weights are still being fetched is asked again until they are
# here, as long as its deadline lets it: ten times the wait that a loading model is given.
_RETRIES = 10
_ATTEMPT_SECONDS = 180.0  # a small model on a slow or busy CPU is slow, and nobody else is there
# Models that embed, rank or classify, by what their names have in common: they cannot chat.
_CANNOT_CHAT = re.compile(r"embed|rerank|minilm|(?:^|[/_-])(?:bge|gte|e5|clip|whisper)(?:[-_:.]|$)")


class EmbeddedModel:
    """Finds or starts the model server that the ``local`` provider asks.

    Args:
        registry: the providers.
        worker: this process, where it is one of several that serve: it starts no model, but asks
            the one that was started for all of them, and is told where in its life that is.
    """

    def __init__(self, registry: ProviderRegistry, *, worker: Worker | None = None) -> None:
        self._registry = registry
        self._worker = worker
        self._told = LocalModelStatus()
        self._server: LocalModelServer | None = None
        self._found: tuple[str, ...] = ()  # models of a server that was running already
        self._listener: OnLocalModelStatus = lambda _status: None

    @property
    def status(self) -> LocalModelStatus:
        """Where the embedded model is in its life; ``off`` when none was started."""
        return self._server.status if self._server else self._told

    @property
    def address(self) -> ModelAddress | None:
        """Where the embedded model answers; ``None`` where there is none."""
        if self._server is None:
            return self._worker.model if self._worker else None
        server = self._server
        return ModelAddress(server.base_url, server.model, server.api_key)

    def note(self, status: LocalModelStatus) -> None:
        """Take over where a model that another process runs is in its life."""
        self._told = status

    def on_status(self, listener: OnLocalModelStatus) -> None:
        """Have ``listener`` told every change, such as a progress bar."""
        self._listener = listener

    async def start(self) -> None:
        """Start the model if nothing else can answer; returns before it is loaded."""
        if self._server is not None or "local" not in self._registry.get_available_providers():
            return
        if self.address is not None:
            self.point(self._registry)
            return
        found = await self._running_server()
        decision = self._decision(found)
        logger.info("Embedded model: %s (%s)", "on" if decision.start else "off", decision.reason)
        if decision.start and self._worker is None:
            await self._start()
        else:
            self._found = found
        self.point(self._registry)

    def point(self, registry: ProviderRegistry) -> None:
        """Have the local provider ask the server that was found or started, if there is one.

        Args:
            registry: the one in use, or one that is to follow it; its settings may name another
                server or model by now, and then those count.
        """
        settings = registry.settings
        named = settings.local_model == "auto" and _is_set(settings.environment, "LOCAL_LLM_URL")
        if named or "local" not in registry.get_available_providers():
            return
        address = self.address
        if address is not None:
            self._point_at(address, registry)
        elif self._found and not settings.environment.get("LOCAL_LLM_MODEL"):
            config = registry.get_config("local")
            registry.use_local_server(replace(config, models=_talkative_first(self._found)))

    async def stop(self) -> None:
        """Stop the model, if it was started."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def wait_ready(self) -> None:
        """Wait until the model answers, or fails.

        Raises:
            LocalModelError: it cannot run here.
        """
        if self._server is not None:
            await self._server.wait_ready()

    async def ability(self) -> EmbeddedAbility:
        """Whether the model could run here; starts and fetches nothing."""
        from faultmaven.container.weights import (  # noqa: PLC0415 - no service needs it
            examine_ability,
        )

        decision = self._decision(await self._running_server())
        return await examine_ability(self._registry.settings, decision)

    async def pull(self, name: str | None, *, tell: OnLocalModelStatus) -> Path:
        """Fetch and verify the weights without starting the model; quick when they are here.

        Args:
            name: which model; ``None`` for what the settings choose.
            tell: told every step.

        Raises:
            LocalModelError: they cannot be had.
        """
        from faultmaven.container.weights import pull_weights  # noqa: PLC0415 - as above

        return await pull_weights(self._registry.settings, choice=name, tell=tell)

    async def _running_server(self) -> tuple[str, ...]:
        """Models of a server that runs where the local provider looks by default."""
        settings = self._registry.settings
        if settings.local_model != "auto" or _is_set(settings.environment, "LOCAL_LLM_URL"):
            return ()
        return await find_local_server(self._registry.get_config("local").base_url) or ()

    def _decision(self, found: tuple[str, ...]) -> Decision:
        settings = self._registry.settings
        others = set(self._registry.get_available_providers()) - {"local"}
        circumstances = Circumstances(
            setting=settings.local_model if settings.local_llm_enabled else "off",
            explicit_url=_is_set(settings.environment, "LOCAL_LLM_URL"),
            any_key=bool(others),
            server_answered=bool(found),
            # Only where the chain would ask it: another local server may be meant to be alone.
            local_only=self._registry.local_only and "local" in self._registry.get_fallback_chain(),
        )
        return decide(circumstances)

    async def _start(self) -> None:
        # Most services are given a key and run no model: they start sooner without all this.
        from faultmaven.infrastructure.local_model.config import (  # noqa: PLC0415 - see above
            LocalModelConfig,
        )
        from faultmaven.infrastructure.local_model.supervisor import (  # noqa: PLC0415 - see above
            LocalModelServer,
        )

        settings = self._registry.settings
        config = LocalModelConfig(
            cache_dir=settings.model_cache,
            choice=settings.local_model,
            model_path=settings.local_model_path,
            context=_CONTEXT,
        )
        try:
            server = LocalModelServer(config, on_status=self._tell)
            await server.start()
        except LocalModelError as error:
            logger.error("Embedded model: %s %s", error, error.hint or "")  # noqa: TRY400 - the message is the whole story
            return
        self._server = server

    def _point_at(self, address: ModelAddress, registry: ProviderRegistry) -> None:
        alone = registry.get_fallback_chain() == ["local"]
        if alone and "request_timeout" not in registry.settings.model_fields_set:
            registry.request_timeout = _ATTEMPT_SECONDS
        registry.use_local_server(
            replace(
                registry.get_config("local"),
                base_url=address.base_url,
                models=[address.model],
                api_key=address.api_key,
                context_window=_CONTEXT,
                timeout=_ATTEMPT_SECONDS,
                max_retries=_RETRIES,
                small_model=True,
                options={"engine": EMBEDDED},
                not_ready=self._why_not_ready,
            )
        )

    def _why_not_ready(self) -> str | None:
        status = self.status
        if status.state == "ready":
            return None
        progress = "" if status.progress is None else f" ({status.progress:.0%})"
        return f"the embedded model is not ready: {status.message}{progress}"

    def _tell(self, status: LocalModelStatus) -> None:
        if status.state == "failed":
            logger.error("Embedded model: %s %s", status.message, status.hint or "")
        self._listener(status)


def _talkative_first(models: Iterable[str]) -> list[str]:
    """The models in the server's order, those last that cannot chat."""
    return sorted(models, key=lambda name: _CANNOT_CHAT.search(name.lower()) is not None)


def _is_set(environment: Mapping[str, str], variable: str) -> bool:
    return bool(environment.get(variable, "").strip())
