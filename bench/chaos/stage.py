"""A service in front of upstreams that can be made to misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from bench.chaos.client import Client
from bench.chaos.service import ADMIN_KEY, Service, running
from upstreams import Exchange, Upstream, answer_well
from upstreams.faults import Misbehaviour, behaviour_of
from upstreams.opening import Own

_KEPT = 20
"""Requests an upstream remembers: nobody looks at them here."""

_DIALECTS = {"local": "vllm"}
_VARIABLES = {"local": ("LOCAL_LLM_API_KEY", "LOCAL_LLM_URL", "LOCAL_LLM_MODEL")}


@dataclass(slots=True)
class Vendor:
    """One provider's upstream, and how often a model was asked there.

    Attributes:
        up: the upstream.
        calls: requests for an answer so far.
        mood: how they are treated.
    """

    up: Upstream
    calls: int = 0
    mood: Misbehaviour = answer_well

    async def __call__(self, exchange: Exchange) -> None:
        """Treat one request."""
        self.calls += 1
        await behaviour_of(self.mood, self.up.dialect.name)(exchange)


@dataclass(slots=True)
class Stage:
    """Everything a scenario plays with.

    Attributes:
        service: the service.
        vendors: upstreams by provider.
        variables: what the service is configured with.
        client: a caller that keeps its connections.
    """

    service: Service
    vendors: Mapping[str, Vendor]
    variables: dict[str, str]
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        """Give it a caller."""
        self.client = Client(self.service.port)

    @property
    def calls(self) -> int:
        """Requests for an answer at all upstreams."""
        return sum(vendor.calls for vendor in self.vendors.values())


@asynccontextmanager
async def vendor(name: str, *, key: str | None = None) -> AsyncIterator[Vendor]:
    """One upstream; it accepts any model."""
    keys = Own.OWN if key is None else {key}
    async with Upstream(_DIALECTS.get(name, name), models=None, keep=_KEPT, keys=keys) as up:
        found = Vendor(up)
        up.default = found
        yield found


def variables_of(name: str, up: Upstream, *, key: str | None = None) -> dict[str, str]:
    """What configures this provider."""
    usual = tuple(f"{name.upper()}_{what}" for what in ("API_KEY", "API_BASE", "MODEL"))
    values = (key or up.key, up.base_url, up.model)
    return dict(zip(_VARIABLES.get(name, usual), values, strict=True))


def chain_of(names: Sequence[str]) -> dict[str, str]:
    """What asks these providers in this order."""
    primary, *others = names
    return {"CHAT_PROVIDER": primary, "FALLBACK_CHAIN": ",".join(others) or "none"}


@asynccontextmanager
async def stage(
    names: Sequence[str], *, keys: Mapping[str, str] | None = None, **further: str
) -> AsyncIterator[Stage]:
    """A service over these providers, in this order.

    Args:
        names: the chain.
        keys: of those whose key is not the upstream's usual one.
        further: further variables of the service.
    """
    given = keys or {}
    async with AsyncExitStack() as open_ones:
        vendors = {
            name: await open_ones.enter_async_context(vendor(name, key=given.get(name)))
            for name in names
        }
        variables = {
            "ADMIN_API_KEY": ADMIN_KEY,
            "SINGLE_FLIGHT": "false",  # the questions are alike, and each is to be counted
            "CONFIDENCE_THRESHOLD": "0.5",
            **({} if "local" in names else {"LOCAL_LLM_ENABLED": "false"}),
            **chain_of(names),
        }
        for name, one in vendors.items():
            variables |= variables_of(name, one.up, key=given.get(name))
        variables |= further
        service = await open_ones.enter_async_context(running(variables))
        playing = Stage(service, vendors, variables)
        try:
            yield playing
        finally:
            await playing.client.aclose()
