"""Several processes that serve one address, and the one that started them and serves nothing."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from faultmaven.cli.hangup import heed_hangup, in_terminal
from faultmaven.cli.progress import ModelProgress
from faultmaven.cli.worker import READY, RELOADED, STATUS
from faultmaven.container import container
from faultmaven.models.status import LocalModelStatus
from faultmaven.models.worker import Worker
from faultmaven.settings import environment_for

logger = logging.getLogger(__name__)

_PAUSE = 1.0  # seconds before a worker that ended is replaced, so that a fault costs little
_MARGIN = 10.0  # seconds that a worker may take longer than it was told to


def serve_with_crew(listening: socket.socket, *, size: int, greet: Callable[[], None]) -> bool:
    """Serve with several workers until a signal ends it; whether all could be started.

    The embedded model, where one is needed, runs once, below this process.

    Args:
        listening: what they accept connections from; closed in the end.
        size: how many workers.
        greet: called when all of them serve.
    """
    container.set_up_logs()
    return asyncio.run(_serve(listening, size=size, greet=greet))


async def _serve(listening: socket.socket, *, size: int, greet: Callable[[], None]) -> bool:
    model = container.get_local_model()
    # A failure is in the log.
    with (
        TemporaryDirectory(prefix="faultmaven-metrics-") as folder,
        ModelProgress(unsaid=("off", "stopped", "failed")) as progress,
    ):
        model.on_status(progress)
        await model.start()
        try:
            crew = Crew(listening, (Worker(n, folder, model.address) for n in range(size)))
            _heed_signals(crew)

            def on_status(status: LocalModelStatus) -> None:
                progress(status)
                crew.tell(status)

            def on_complete() -> None:
                with progress.set_aside():
                    greet()

            model.on_status(on_status)
            return await crew.run(on_complete=on_complete)
        finally:
            await model.stop()


def _heed_signals(crew: Crew) -> None:
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        # Two signals skip the delay: at a terminal no load balancer has to turn away.
        crew.end(*(signal.SIGTERM, signal.SIGINT) if in_terminal() else (signal.SIGTERM,))

    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, crew.end, signal.SIGTERM)
    heed_hangup(reload=crew.reload, end=lambda: crew.end(signal.SIGTERM))


@dataclass(frozen=True, slots=True)
class _Process:
    """A worker that runs, and the connection over which it hears from us."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def signal(self, number: signal.Signals) -> None:
        if self.process.returncode is None:
            self.process.send_signal(number)


class Crew:
    """Starts workers, replaces those that end, and ends them all.

    Args:
        listening: what they accept connections from.
        workers: what each is told.
    """

    def __init__(self, listening: socket.socket, workers: Iterable[Worker]) -> None:
        self._listening = listening
        self._workers = tuple(workers)
        self._running: dict[int, _Process] = {}
        self._serving: set[int] = set()
        self._complete = False
        self._ending = asyncio.Event()
        self._failed = False
        self._on_complete: Callable[[], None] = lambda: None
        self._status = container.get_local_model().status

    async def run(self, *, on_complete: Callable[[], None]) -> bool:
        """Serve until `end`; whether every worker could be started.

        Args:
            on_complete: called once, when all of them serve.
        """
        self._on_complete = on_complete
        tending = [asyncio.create_task(self._tend(worker)) for worker in self._workers]
        await self._ending.wait()
        settings = container.settings
        longest = settings.drain_delay + settings.grace_period + _MARGIN
        _, late = await asyncio.wait(tending, timeout=longest)
        if late:
            logger.error("%d workers do not end by themselves and are killed.", len(late))
            self._signal(signal.SIGKILL)
        await asyncio.gather(*tending)
        return not self._failed

    def end(self, *numbers: signal.Signals) -> None:
        """Have every worker end; the connections that come meanwhile are theirs alone."""
        self._ending.set()
        self._listening.close()
        for number in numbers:
            self._signal(number)

    def reload(self) -> None:
        """Have every worker read the configuration again."""
        self._signal(signal.SIGHUP)

    def tell(self, status: LocalModelStatus) -> None:
        """Tell every worker, those to come too, where the embedded model is in its life."""
        self._status = status
        for running in self._running.values():
            running.writer.write(_line(status))

    async def _tend(self, worker: Worker) -> None:
        """Have a worker of this number, until the end."""
        while not self._ending.is_set():
            code = await self._run(worker)
            container.forget_worker(worker)
            if self._ending.is_set():
                return
            if not self._complete:
                self._give_up()
                return
            logger.error("Worker %d ended with code %d; another follows.", worker.number, code)
            await self._pause()

    async def _run(self, worker: Worker) -> int:
        """One life of a worker; its exit code."""
        running = self._running[worker.number] = await self._start(worker)
        hearing = asyncio.create_task(self._hear(worker.number, running.reader))
        try:
            if self._ending.is_set():  # while it was being started
                running.signal(signal.SIGTERM)
            running.writer.write(_line(self._status))
            return await running.process.wait()
        finally:
            hearing.cancel()
            del self._running[worker.number]
            running.writer.close()

    async def _hear(self, number: int, worker: asyncio.StreamReader) -> None:
        """Hear what a worker says."""
        with suppress(ConnectionError):  # it may end before it has read what we say
            async for line in worker:
                if line == READY:
                    self._note_serving(number)
                elif line == RELOADED:
                    self._signal(signal.SIGHUP, but=number)

    async def _start(self, worker: Worker) -> _Process:
        ours, theirs = socket.socketpair()
        # A copy, because the end may come while the worker is being started.
        with theirs, self._listening.dup() as listening:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "faultmaven", "serve"),
                *("--listening", str(listening.fileno())),
                stdin=theirs.fileno(),
                env=environment_for(worker),
                pass_fds=(listening.fileno(),),
                # A terminal's Ctrl-C is ours to pass on.
                process_group=0,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return _Process(process, reader, writer)

    def _note_serving(self, number: int) -> None:
        self._serving.add(number)
        if not self._complete and len(self._serving) == len(self._workers):
            self._complete = True
            self._on_complete()

    def _give_up(self) -> None:
        """What keeps one from starting keeps all from it; its log has said what."""
        self._failed = True
        self.end(signal.SIGTERM, signal.SIGINT)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), _PAUSE)

    def _signal(self, number: signal.Signals, *, but: int | None = None) -> None:
        for worker, running in tuple(self._running.items()):
            if worker != but:
                running.signal(number)


def _line(status: LocalModelStatus) -> bytes:
    return STATUS.dump_json(status) + b"\n"
