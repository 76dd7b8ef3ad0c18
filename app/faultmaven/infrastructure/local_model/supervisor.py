"""Keep the embedded model's server running from start to stop of the service."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.cache import check_own_file
from faultmaven.infrastructure.local_model.catalogue import choose_model
from faultmaven.infrastructure.local_model.config import LocalModelConfig, Surroundings
from faultmaven.infrastructure.local_model.engine import ALTERNATIVES, explain
from faultmaven.infrastructure.local_model.loopback_port import HOST, LoopbackPort
from faultmaven.infrastructure.local_model.machine import (
    engine_threads,
    free_memory,
    usable_cores,
)
from faultmaven.infrastructure.local_model.server_child import Launch, live
from faultmaven.infrastructure.local_model.status import StatusBoard
from faultmaven.infrastructure.local_model.weights import default_sources, fetch_weights
from faultmaven.models.status import LocalModelState, LocalModelStatus, OnLocalModelStatus


class LocalModelServer:
    """A model server on loopback that fetches its weights, starts, and restarts when it dies.

    Attributes:
        model: the model's id on the wire.
        api_key: what the server requires as a bearer token; random, new for each instance.
    """

    def __init__(
        self,
        config: LocalModelConfig,
        *,
        on_status: OnLocalModelStatus = lambda _status: None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Choose the model; nothing is started.

        Args:
            config: which model, and how.
            on_status: told every change of :attr:`status`.
            surroundings: the world, for tests.

        Raises:
            LocalModelError: nobody knows a model of the configured name.
        """
        self._config = config
        self._world = surroundings or Surroundings()
        self._catalogued = choose_model(config.choice, free_memory())
        self.model = config.model_path.stem if config.model_path else self._catalogued.name
        self.api_key = secrets.token_urlsafe(32)
        self._port: LoopbackPort | None = None
        self._task: asyncio.Task[None] | None = None
        idle = LocalModelStatus(state="stopped", message="Not started.", model=self.model)
        self._board = StatusBoard(idle, on_status)

    @property
    def base_url(self) -> str:
        """Of the server, without ``/v1``; the same from :meth:`start` to :meth:`stop`."""
        return f"http://{HOST}:{self._port.number}" if self._port else ""

    @property
    def status(self) -> LocalModelStatus:
        """What it is doing now."""
        return self._board.current

    async def start(self) -> None:
        """Begin; fetching and loading go on after the return, and :attr:`status` tells how far.

        Raises:
            LocalModelError: the configured port is taken.
        """
        if self._task is None:
            self._port = LoopbackPort(self._config.port)
            self._tell("starting", "The embedded model is starting.")
            self._task = asyncio.create_task(self._run(self._port.number), name="local-model")

    async def stop(self) -> None:
        """End fetching or serving, and the child with it; returns within a few seconds."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self._tell("stopped", "The embedded model has stopped.")
        if self._port is not None:
            self._port.close()

    async def wait_ready(self, seconds: float | None = None) -> None:
        """Wait until the server answers, or ``seconds`` at most.

        Raises:
            LocalModelError: it failed, was stopped, or took too long.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._board.settled(), seconds)
        if self.status.is_final:
            raise LocalModelError(self.status.message, hint=self.status.hint)
        if self.status.state != "ready":
            raise LocalModelError(
                f"The embedded model is not ready after {seconds:g} s: {self.status.message}",
                hint="Wait for it, or see its status.",
            )

    async def _run(self, port: int) -> None:
        """Everything from the engine check to the last restart."""
        try:
            await self._require_engine()
            await self._keep_serving(self._launch(await self._weights(), port))
        except LocalModelError as error:
            self._tell("failed", str(error), hint=error.hint)
        except OSError as error:
            self._tell("failed", f"No process can be started: {error}.", hint=ALTERNATIVES)

    async def _require_engine(self) -> None:
        problem = await self._world.check()
        if problem is not None:
            raise LocalModelError(problem.message, hint=problem.hint)

    async def _weights(self) -> Path:
        if self._config.model_path is not None:
            return check_own_file(self._config.model_path)
        sources = self._world.sources or default_sources(self._config.environment)
        return await fetch_weights(
            self._catalogued,
            self._config.cache_dir,
            on_progress=self._tell_progress,
            sources=sources,
        )

    def _launch(self, weights: Path, port: int) -> Launch:
        threads = engine_threads(usable_cores())
        return Launch(
            model=weights,
            alias=self.model,
            port=port,
            api_key=self.api_key,
            threads=self._config.threads or threads.writing,
            prompt_threads=self._config.threads or threads.reading,
            slots=self._config.slots,
            context=self._config.context,
        )

    async def _keep_serving(self, launch: Launch) -> None:
        """Start the server again and again, until it has died too often in a row."""
        policy = self._world.restart
        deaths = 0
        self._tell("loading", f"Loading {self.model}.")
        while True:
            death = await live(
                launch,
                self._world.command(launch),
                vigil=self._world.vigil,
                clock=self._world.clock,
                on_ready=self._tell_ready,
            )
            deaths = policy.count(deaths, death.served)
            problem = explain(death.exit_code, death.last_words)
            if policy.gives_up(deaths):
                message = f"{problem.message} Gave up after {deaths} deaths in a row."
                raise LocalModelError(message, hint=problem.hint)
            self._tell("restarting", problem.message, hint=problem.hint)
            await self._world.sleep(policy.delay(deaths, self._world.uniform))

    def _tell_progress(self, done: int, total: int) -> None:
        """Tell the progress in steps of a thousandth: sources report far more often."""
        progress = int(1000 * done / total) / 1000
        if self.status.progress != progress:
            self._tell("downloading", f"Fetching {self.model}.", progress=progress)

    def _tell_ready(self) -> None:
        self._tell("ready", f"{self.model} answers at {self.base_url}.")

    def _tell(
        self,
        state: LocalModelState,
        message: str,
        *,
        hint: str | None = None,
        progress: float | None = None,
    ) -> None:
        status = LocalModelStatus(
            state=state,
            progress=progress,
            message=message,
            hint=hint,
            model=self.model,
            base_url=self.base_url,
        )
        self._board.post(status)
