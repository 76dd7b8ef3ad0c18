"""Who is believed to ask, where proxies stand between."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from faultmaven.cli.forwarded import Forwarded
from faultmaven.cli.server import DrainingServer

TOLD = [
    (b"host", b"gateway"),
    (b"x-forwarded-for", b"203.0.113.7"),
    (b"x-forwarded-proto", b"https"),
]
PROXY, STRANGER = ("127.0.0.1", 4000), ("203.0.113.9", 4000)


async def seen(scope: Scope) -> Scope:
    """What comes out at the application."""
    came: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as ASGI has it
        came.append(scope)

    async def nothing(*_: Any) -> Any:
        return {}

    await Forwarded(app, trusted="127.0.0.1,::1")(scope, nothing, nothing)
    [only] = came
    return only


def request(client: tuple[str, int], headers: list[tuple[bytes, bytes]]) -> Scope:
    """A request as the server gives it on."""
    return {"type": "http", "scheme": "http", "client": client, "headers": headers}


async def test_a_trusted_proxy_is_believed() -> None:
    """It tells for whom it asks, and by what scheme it was asked."""
    scope = await seen(request(PROXY, TOLD))
    assert (scope["client"], scope["scheme"]) == (("203.0.113.7", 0), "https")


@pytest.mark.parametrize(
    ("told", "believed"),
    [(TOLD[1:2], (("203.0.113.7", 0), "http")), (TOLD[2:], (PROXY, "https"))],
    ids=["client", "scheme"],
)
async def test_either_word_is_enough(
    told: list[tuple[bytes, bytes]], believed: tuple[tuple[str, int], str]
) -> None:
    """A proxy may tell one of them alone."""
    scope = await seen(request(PROXY, told))
    assert (scope["client"], scope["scheme"]) == believed


async def test_a_stranger_is_not_believed() -> None:
    """Anybody can write a header."""
    scope = await seen(request(STRANGER, TOLD))
    assert (scope["client"], scope["scheme"]) == (STRANGER, "http")


@pytest.mark.parametrize("scope", [request(PROXY, TOLD[:1]), {"type": "lifespan"}])
async def test_all_else_passes_as_it_is(scope: Scope) -> None:
    """So do requests without a proxy's word, and what is no request."""
    assert await seen(dict(scope)) == scope


async def test_the_service_believes_whom_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """``FORWARDED_ALLOW_IPS`` says whom, as uvicorn has it."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "198.51.100.1")
    came: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as ASGI has it
        came.append(scope)

    config = DrainingServer().config
    config.app, config.factory = app, False
    config.load()
    for address in ("198.51.100.1", "127.0.0.1"):
        scope: Any = request((address, 4000), TOLD)
        await config.loaded_app(scope, _unused, _unused)
    assert [scope["client"][0] for scope in came] == ["203.0.113.7", "127.0.0.1"]


async def _unused(*_: Any) -> Any:
    raise AssertionError("nobody reads or writes")
