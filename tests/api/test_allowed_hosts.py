"""By which names the service may be asked."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from api.service import Container, container_of, problem, started
from faultmaven.main import create_app

_LOOPBACK = ("127.0.0.1", 8000)
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound to it
_NETWORK = ("10.1.2.3", 8000)


async def _asked(
    container: Container,
    host: str | None,
    path: str = "/v1/models",
    came_by: tuple[str, int] = _LOOPBACK,
) -> httpx.Response:
    """Ask as a connection does that a server accepted at ``came_by``."""
    app = create_app(container)

    async def accepted(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg] # a scope may hold anything
        named = [(name, value) for name, value in scope["headers"] if name != b"host"]
        headers = named if host is None else [*named, (b"host", host.encode())]
        await app({**scope, "server": came_by, "headers": headers}, receive, send)  # type: ignore[arg-type] # httpx types them loosely

    transport = httpx.ASGITransport(accepted, raise_app_exceptions=False)  # type: ignore[arg-type] # as above
    async with (
        started(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        return await client.get(path)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "127.0.0.1:8000",
        "127.8.9.1",
        "[::1]:8000",
        "[::1]",
        None,
    ],
)
async def test_this_machine_may_be_asked_by_its_own_names(tmp_path: Path, host: str | None) -> None:
    """Loopback's names, with any port; who sends no name is no browser."""
    assert (await _asked(container_of(tmp_path), host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.1.2.3",
        "",
        "localhost@evil.example",
        "[::1",
        "localhost:8000:9",
        "[::2]:80",
        "localhost" + "." * 300,
    ],
)
async def test_a_page_that_rebinds_its_name_reads_nothing(tmp_path: Path, host: str) -> None:
    """A service for this machine alone answers to no other name, on no path."""
    for path in ("/v1/models", "/health", "/metrics", "/docs"):
        response = await _asked(container_of(tmp_path), host, path)
        assert response.status_code == 421
        assert "ALLOWED_HOSTS" in response.text
        assert response.headers["x-request-id"]
        assert "evil" not in response.text


async def test_the_refusal_has_the_shape_of_its_path(tmp_path: Path) -> None:
    """A problem, or OpenAI's and Anthropic's error."""
    container = container_of(tmp_path)
    other = problem(await _asked(container, "evil.example", "/api/v1/providers"))
    assert other["error_class"] == "host_not_allowed"
    openai = (await _asked(container, "evil.example", "/v1/models")).json()
    assert openai["error"]["code"] == "host_not_allowed"
    anthropic = (await _asked(container, "evil.example", "/v1/messages")).json()
    assert anthropic["type"] == "error"


@pytest.mark.parametrize(
    ("variables", "host", "came_by", "status"),
    [
        ({"ALLOWED_HOSTS": "gate.example, other"}, "GATE.example:443", _LOOPBACK, 200),
        ({"ALLOWED_HOSTS": "gate.example"}, "localhost", _LOOPBACK, 200),
        ({"ALLOWED_HOSTS": "gate.example"}, "evil.example", _LOOPBACK, 421),
        ({"ALLOWED_HOSTS": "*"}, "evil.example", _LOOPBACK, 200),
        ({"HOST": EVERYWHERE}, "any.example", _NETWORK, 200),
        ({"HOST": EVERYWHERE}, "any.example", _LOOPBACK, 200),
        ({"HOST": EVERYWHERE, "ALLOWED_HOSTS": "gate.example"}, "gate.example", _NETWORK, 200),
        ({"HOST": EVERYWHERE, "ALLOWED_HOSTS": "gate.example"}, "10.1.2.3", _NETWORK, 421),
        # `serve --host 0.0.0.0` overrules HOST: who comes by the network is not refused.
        ({}, "any.example", _NETWORK, 200),
        ({"HOST": "localhost"}, "any.example", _LOOPBACK, 421),
    ],
)
async def test_the_operator_names_further_ones(
    tmp_path: Path,
    variables: dict[str, str],
    host: str,
    came_by: tuple[str, int],
    status: int,
) -> None:
    """Beside loopback's names there, and instead of any name elsewhere."""
    container = container_of(tmp_path, variables=variables)
    assert (await _asked(container, host, came_by=came_by)).status_code == status


async def test_machines_ask_by_address(tmp_path: Path) -> None:
    """A kubelet and a scraper know the pod's address alone."""
    variables = {"HOST": EVERYWHERE, "ALLOWED_HOSTS": "gate.example"}
    container = container_of(tmp_path, variables=variables)
    for path in ("/health/live", "/metrics"):
        assert (await _asked(container, "10.1.2.3:8000", path, _NETWORK)).status_code == 200
