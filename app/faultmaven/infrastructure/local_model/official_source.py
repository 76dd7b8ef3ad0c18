"""The weights from their makers' own server, by HTTP, resumed after every cut."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from faultmaven.infrastructure.local_model.partial import CHUNK, PartialWeights
from faultmaven.infrastructure.local_model.process import running
from faultmaven.infrastructure.local_model.source import OnBytes, SourceError, in_thread

_COMMIT_BYTES: Final = 32 << 20
_DOWNLOADER: Final = "faultmaven.infrastructure.local_model.range_download"


class OfficialSource:
    """Fetches the whole file from the URL in the catalogue.

    Attributes:
        name: what to call this source in a message.
    """

    name = "official source"

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        attempts: int = 4,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Set up; nothing is opened yet.

        Args:
            environment: the downloader's (proxies, certificates); ``None`` gives it ours.
            attempts: how often in a row it may bring next to nothing.
            sleep: waits a number of seconds.
        """
        self._environment = environment
        self._attempts = attempts
        self._sleep = sleep

    async def fetch(self, partial: PartialWeights, on_bytes: OnBytes) -> None:
        """Append what is missing.

        Raises:
            SourceError: too many attempts in a row brought next to nothing.
        """
        failures = 0
        while partial.missing:
            before = partial.size
            reason = await self._attempt(partial, on_bytes)
            if not partial.missing:
                return
            failures = 1 if partial.size - before >= CHUNK else failures + 1
            if failures > self._attempts:
                raise SourceError(reason)
            await self._sleep(2.0 ** (failures - 1))

    async def _attempt(self, partial: PartialWeights, on_bytes: OnBytes) -> str:
        """Append until the end or a cut; say what the downloader said."""
        command = (sys.executable, "-m", _DOWNLOADER, partial.files.model.url, str(partial.size))
        async with running(command, stdout=PIPE, environment=self._environment) as download:
            stream = download.process.stdout
            while stream is not None and (chunk := await stream.read(CHUNK)):
                committed = partial.size // _COMMIT_BYTES
                partial.append(chunk)
                on_bytes(partial.size)
                if partial.size // _COMMIT_BYTES > committed:
                    await in_thread(lambda _stop: partial.commit())
            await download.wait()
        await in_thread(lambda _stop: partial.commit())
        return download.last_words or "the connection was cut"
