"""One service for all client tests, every vendor behind it, and the clients in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import anthropic
import openai
import pytest

from clients.loopback import Watch
from clients.service import Service, serving
from clients.vendors import Vendors, playing

DIRECT = "127.0.0.1,localhost"
"""What no proxy of the environment may come between."""

# Read by the clients when they are imported, which is before any fixture runs.
os.environ.update(  # noqa: TID251 - the clients' own switches, no option of the service
    ANTHROPIC_LOG="",
    DO_NOT_TRACK="1",
    HF_HUB_OFFLINE="1",
    LANGCHAIN_TRACING_V2="false",
    LANGSMITH_TRACING="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_MODE="PRODUCTION",  # no look for a .env file
)


@pytest.fixture(scope="session")
def _watch() -> Watch:
    """The one watch of the process: its hook cannot be taken out."""
    return Watch()


@pytest.fixture(autouse=True)
def _only_loopback(_watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No client talks to anybody but this machine, nor through a proxy."""
    monkeypatch.setenv("NO_PROXY", DIRECT)
    with _watch.on():
        yield
    beyond, _watch.beyond = _watch.beyond, []
    assert beyond == []


@pytest.fixture(scope="session")
def _all_vendors() -> Iterator[Vendors]:
    """Every vendor, for as long as there are tests."""
    with playing() as vendors:
        yield vendors


@pytest.fixture(scope="session")
def _service(_all_vendors: Vendors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, started once; it has met its local server, whose format it has to find out."""
    with serving(_all_vendors, tmp_path_factory.mktemp("service")) as service:
        with openai.OpenAI(base_url=f"{service.url}/v1", api_key="any") as client:
            client.chat.completions.create(
                model="local", messages=[{"role": "user", "content": "Hello"}]
            )
        yield service


@pytest.fixture
def url(_service: Service) -> Iterator[str]:
    """Address of the service, without a path; in the end it has not stumbled over anything."""
    _service.news()
    yield _service.url
    assert "Traceback" not in _service.news()


@pytest.fixture(scope="session")
def _clients(_service: Service) -> Iterator[tuple[openai.OpenAI, anthropic.Anthropic]]:
    """Two SDKs for all tests: each costs a tenth of a second to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", DIRECT)
        sdk = openai.OpenAI(base_url=f"{_service.url}/v1", api_key="any")
        claude = anthropic.Anthropic(base_url=_service.url, api_key="any")
    with sdk, claude:
        yield sdk, claude


@pytest.fixture
def openai_sdk(url: str, _clients: tuple[openai.OpenAI, anthropic.Anthropic]) -> openai.OpenAI:
    """OpenAI's SDK with nothing changed but the address."""
    assert str(_clients[0].base_url).startswith(url)
    return _clients[0]


@pytest.fixture
def anthropic_sdk(
    url: str, _clients: tuple[openai.OpenAI, anthropic.Anthropic]
) -> anthropic.Anthropic:
    """Anthropic's SDK with nothing changed but the address."""
    assert str(_clients[1].base_url).startswith(url)
    return _clients[1]


@pytest.fixture
def vendors(_all_vendors: Vendors) -> Iterator[Vendors]:
    """Every vendor, well and with nothing asked; in the end none has refused anything."""
    _all_vendors.forget()
    yield _all_vendors
    assert _all_vendors.refused() == {}
