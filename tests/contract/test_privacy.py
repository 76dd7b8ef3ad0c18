"""Nothing leaves where nothing may."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from doubles import schema, settings_of
from faultmaven.errors import AllProvidersFailedError, InvalidInputError
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.infrastructure.llm.resilience.breaker import BreakerRules
from faultmaven.infrastructure.llm.resilience.gate import ProviderGate
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.transport import Transport
from upstreams import Upstream

KEYS = {
    f"{name}_API_KEY": "some-key-0123456789"
    for name in ("FIREWORKS", "OPENAI", "ANTHROPIC", "GEMINI", "HUGGINGFACE", "OPENROUTER")
}
_contacts: list[tuple[str, object]] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    """Remember whom the process turns to: a connection, a datagram, or a name to look up."""
    if _contacts is None:
        return
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        _contacts.append((event, arguments[1]))
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        _contacts.append((event, arguments[0]))


sys.addaudithook(_note)  # the interpreter's own: no library gets past it


@contextmanager
def watched_sockets() -> Iterator[list[tuple[str, object]]]:
    """Give everybody who is contacted meanwhile."""
    global _contacts  # noqa: PLW0603 - an audit hook cannot be removed, only told to be quiet
    _contacts = []
    try:
        yield _contacts
    finally:
        _contacts = None


def test_the_guard_sees_connections() -> None:
    """The guard would notice a connection and a look-up: it is no blind one."""
    with watched_sockets() as contacts, socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        socket.getaddrinfo("127.0.0.1", 80)
    assert contacts == [
        ("socket.connect", listener_address := contacts[0][1]),
        ("socket.getaddrinfo", "127.0.0.1"),
    ]
    assert listener_address


MODES = {
    "privacy-mode": {"PRIVACY_MODE": "local_only", "CHAT_PROVIDER": "openai"},
    "no-fallback": {"FALLBACK_CHAIN": "none"},
}


@pytest.mark.parametrize(("mode", "requests"), [("privacy-mode", 1000), ("no-fallback", 20)])
async def test_local_only_contacts_nobody_else(
    mode: str, requests: int, transport: Transport
) -> None:
    """Over 1,000 requests, local up and down, not one contact with anybody but local (S20)."""
    async with Upstream("ollama") as up:
        values = {**KEYS, "LOCAL_LLM_URL": up.base_url, "LOCAL_LLM_MODEL": up.model, **MODES[mode]}
        home = ("127.0.0.1", up.port)
        once = {**PROVIDER_SCHEMA["local"], "max_retries": 0}
        with watched_sockets() as contacts, schema({"local": once}, alone=False):
            registry = ProviderRegistry(settings_of(values), transport=transport)
            # Without breakers, so that each of the requests goes somewhere.
            untiring = ProviderGate(rules=BreakerRules(failures=10**9, share=0.0))
            router = LLMRouter(registry, gate=untiring)
            for _ in range(requests * 7 // 10):
                assert (await router.generate("Why?")).provider == "local"
            with pytest.raises(InvalidInputError):
                await router.generate("Why?", providers=["openai"])
            for name in registry.get_available_providers():
                provider = registry.get_provider(name)
                assert isinstance(provider, HTTPProvider)
                assert (await provider.check(timeout=5)).reachable
            await up.stop()
            for _ in range(requests * 3 // 10):
                with pytest.raises(AllProvidersFailedError):
                    await router.generate("Why?")
    connections = [whom for event, whom in contacts if event == "socket.connect"]
    assert len(connections) > requests * 3 // 10
    assert set(connections) == {home}
    assert {whom for event, whom in contacts if event != "socket.connect"} <= {home[0]}
