"""An upstream on its own event loop in a thread, for tests that are not asynchronous."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from upstreams.faults import Misbehaviour
from upstreams.messages import Request
from upstreams.records import Connections, Disconnect, Rejection
from upstreams.server import Upstream


class UpstreamThread:
    """`with UpstreamThread("openai") as up:` with the arguments and most names of `Upstream`.

    What it saw may be read at any time; what changes it is handed to its loop, and is done when
    the call returns.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._arguments = (args, kwargs)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._upstream: Upstream | None = None

    @property
    def upstream(self) -> Upstream:
        """The upstream in the thread."""
        assert self._upstream is not None, "enter the upstream first"
        return self._upstream

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.upstream.origin

    @property
    def base_url(self) -> str:
        """The URL a user would configure for this vendor."""
        return self.upstream.base_url

    @property
    def key(self) -> str:
        """An API key it accepts."""
        return self.upstream.key

    @property
    def model(self) -> str:
        """A model it serves."""
        return self.upstream.model

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        return list(self.upstream.requests)

    @property
    def last(self) -> Request:
        """The latest request."""
        return self.upstream.last

    @property
    def rejections(self) -> list[Rejection]:
        """Requests the vendor refuses."""
        return list(self.upstream.rejections)

    @property
    def disconnects(self) -> list[Disconnect]:
        """Clients that left early."""
        return list(self.upstream.disconnects)

    @property
    def connections(self) -> Connections:
        """How many connections were accepted and how many are open now."""
        return self.upstream.connections

    def script(self, *behaviours: Misbehaviour) -> None:
        """Treat the next requests for an answer like this, in order."""
        self._tell(lambda up: up.script(*behaviours))

    def script_free(self, *behaviours: Misbehaviour) -> None:
        """Treat the next free calls like this, in order."""
        self._tell(lambda up: up.script_free(*behaviours))

    def always(self, behaviour: Misbehaviour) -> None:
        """Treat every call like this."""
        self._tell(lambda up: up.always(behaviour))

    def recover(self) -> None:
        """Answer well again."""
        self._tell(lambda up: up.recover())

    def until(self, seen: Callable[[Upstream], object], *, within: float = 5.0) -> None:
        """Wait until something is seen.

        Raises:
            TimeoutError: It was not seen within that many seconds.
        """
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(
            self.upstream.until(seen, within=within), self._loop
        ).result()

    def __enter__(self) -> Self:
        """Start the thread and wait until it listens."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and raise what a test's own answer or behaviour raised."""
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _tell(self, change: Callable[[Upstream], None]) -> None:
        async def apply() -> None:
            change(self.upstream)

        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(apply(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as failure:  # noqa: BLE001 - carried to the thread that waits
            self._failure = failure
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        args, kwargs = self._arguments
        async with Upstream(*args, **kwargs) as self._upstream:
            self._ready.set()
            await self._stop.wait()
