"""The configured chain for a drill: the same providers, at addresses on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.transport import Transport, WireStream, new_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest, WireResponse
from faultmaven.models.interfaces import ILLMProvider, ProviderConfig


class ConfinedTransport:
    """A transport that reaches the given addresses and no other, straight and past any proxy.

    Args:
        inner: what moves the bytes.
        origins: scheme, host and port that may be reached.
    """

    def __init__(self, inner: Transport, origins: frozenset[str]) -> None:
        self._inner = inner
        self._origins = origins

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - the seam passes a length
        """Send where it is allowed; see `Transport.send`."""
        return await self._inner.send(self._allowed(request), timeout=timeout)

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        """Send where it is allowed; see `Transport.stream`."""
        return self._inner.stream(self._allowed(request))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()

    def _allowed(self, request: WireRequest) -> WireRequest:
        target = urlsplit(request.url)
        if f"{target.scheme}://{target.netloc}" not in self._origins:
            raise ProviderConnectionError("the drill contacts nobody outside this machine")
        return replace(request, direct=True)


class RehearsedRegistry(ProviderRegistry):
    """The registry of a drill: configured as the service's, with other addresses and less time.

    Args:
        original: the service's registry.
        origins: scheme, host and port of each provider that takes part.
        seconds: most time one attempt may take.
        transport: what moves the bytes.
    """

    def __init__(
        self,
        original: ProviderRegistry,
        *,
        origins: Mapping[str, str],
        seconds: float,
        transport: Transport,
    ) -> None:
        self._origins = origins
        self._seconds = seconds
        super().__init__(original.settings, transport=transport)
        self._fallback_chain = list(origins)

    def get_config(self, name: str) -> ProviderConfig:
        """What provider ``name`` takes part with."""
        return self._moved(super().get_config(name))

    def _construct(self, name: str, config: ProviderConfig) -> ILLMProvider:
        return super()._construct(name, self._moved(config))

    def _moved(self, config: ProviderConfig) -> ProviderConfig:
        # A vendor's path stays: it is part of what tells one wire format from another.
        path = urlsplit(config.base_url).path
        origin = self._origins.get(config.name, "")
        return replace(config, base_url=origin + path, timeout=min(config.timeout, self._seconds))


class Rehearsal:
    """What a drill may know of the configured chain."""

    def __init__(self, registry: ProviderRegistry) -> None:
        self._registry = registry

    @property
    def chain(self) -> tuple[str, ...]:
        """Providers of ours, in the order in which they are asked."""
        return tuple(name for name in self._registry.get_fallback_chain() if self._is_ours(name))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Providers of the chain whose code does its own network."""
        chain = self._registry.get_fallback_chain()
        return tuple(name for name in chain if not self._is_ours(name))

    @property
    def missing(self) -> tuple[str, ...]:
        """Variables of the keys that are not set."""
        registry = self._registry
        available = registry.get_available_providers()
        absent = [name for name in registry.get_all_provider_names() if name not in available]
        variables = (registry.get_config(name).api_key_var for name in absent)
        return tuple(filter(None, variables))

    @asynccontextmanager
    async def router(
        self, origins: Mapping[str, str], *, seconds: float
    ) -> AsyncIterator[ILLMProvider]:
        """The chain, new and without a memory, with its providers at these addresses."""
        transport = ConfinedTransport(
            new_transport(self._registry.settings.http_engine), frozenset(origins.values())
        )
        registry = RehearsedRegistry(
            self._registry, origins=origins, seconds=seconds, transport=transport
        )
        try:
            yield LLMRouter(registry)
        finally:
            await transport.aclose()

    def _is_ours(self, name: str) -> bool:
        return isinstance(self._registry.get_provider(name), HTTPProvider)
