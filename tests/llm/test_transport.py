"""The only HTTP client, against servers that misbehave."""

import asyncio
import subprocess
import sys
import time

import pytest

from doubles import settings_of
from faultmaven.errors import (
    ProviderConnectionError,
    ProviderError,
    ProviderProtocolError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.transport import (
    EngineName,
    Transport,
    new_transport,
    shared_transport,
)
from faultmaven.infrastructure.llm.wire.types import WireRequest
from llm.questions import ENGINES, KEY, question, quickest
from upstreams import Reply, Upstream
from upstreams.faults import delayed, gigantic
from upstreams.threaded import UpstreamThread


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Name each engine in turn."""
    name: EngineName = request.param
    return name


async def test_whole_answer_comes_back(transport: Transport, up: Upstream) -> None:
    """Status, headers in small letters and the whole body are returned; the request arrived."""
    response = await transport.send(question(up), timeout=5)
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert b"The disk is full." in response.body
    assert not up.rejections
    assert up.last.bearer == KEY


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
async def test_any_status_is_an_answer(transport: Transport, up: Upstream, status: int) -> None:
    """What a status means is for the codec to say: the transport returns all of them."""
    up.script(f"status_{status}")
    assert (await transport.send(question(up), timeout=5)).status == status


async def test_nothing_is_retried(transport: Transport, up: Upstream) -> None:
    """One send is one request, also when it fails."""
    up.script("reset_before_head", "status_503")
    with pytest.raises(ProviderConnectionError):
        await transport.send(question(up), timeout=5)
    assert (await transport.send(question(up), timeout=5)).status == 503
    assert len(up.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset_before_head", ProviderConnectionError),
        ("closed_before_head", ProviderConnectionError),
        ("reset_in_head", ProviderConnectionError),
        ("reset_in_body", ProviderConnectionError),
        ("cut_body", ProviderConnectionError),
        ("cut_chunks", ProviderConnectionError),
        ("bad_gzip", ProviderProtocolError),
        ("gzip_bomb", ProviderProtocolError),
    ],
)
async def test_broken_exchange(
    transport: Transport, up: Upstream, fault: str, kind: type[ProviderError]
) -> None:
    """A dying connection is a connection failure, an unreadable body a garbled answer (S37)."""
    up.script(fault)
    with pytest.raises(kind) as caught:
        await transport.send(question(up), timeout=5)
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("fault", ["stalled_headers", "stalled_body", "endless_drip"])
async def test_silence_ends_at_the_timeout(transport: Transport, up: Upstream, fault: str) -> None:
    """However an upstream stalls, the wait ends within 0.2 s of the timeout (S42)."""
    up.default = fault

    async def wait() -> None:
        with pytest.raises(ProviderTimeoutError, match=r"no answer within 0\.3 s"):
            await transport.send(question(up), timeout=0.3)

    assert 0.3 <= await quickest(wait, enough=0.5) <= 0.5
    await up.until(lambda up: up.disconnects)


async def test_each_exchange_has_its_own_time(transport: Transport, up: Upstream) -> None:
    """The short ones among long ones end first, each at its time, and cost the others nothing."""
    up.default = "stalled_headers"
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        with pytest.raises(ProviderTimeoutError, match=f"no answer within {seconds} s"):
            await transport.send(question(up), timeout=seconds)
        ended.append(seconds)

    await asyncio.gather(wait(0.5), wait(0.1), wait(0.3))
    assert ended == [0.1, 0.3, 0.5]
    await wait(0.2)
    up.recover()
    assert (await transport.send(question(up), timeout=5)).status == 200


@pytest.mark.parametrize(
    "fault", ["slow_drip", "chunked", "until_close", "early_hints", "gzip_body"]
)
async def test_unusual_but_whole(transport: Transport, up: Upstream, fault: str) -> None:
    """A whole answer is an answer, however it is sent."""
    up.script(fault)
    assert b"The disk is full." in (await transport.send(question(up), timeout=5)).body


async def test_redirect_is_not_followed(transport: Transport, up: Upstream) -> None:
    """A redirect is an answer like any other: the key does not travel to another place (S69)."""
    async with Upstream("openai") as elsewhere:
        location = ("location", f"{elsewhere.origin}/v1/chat/completions")
        up.script(Reply(307, headers=(location,)))
        assert (await transport.send(question(up), timeout=5)).status == 307
        assert not elsewhere.requests
        assert not elsewhere.connections.accepted


async def test_cookies_are_not_kept(transport: Transport, up: Upstream) -> None:
    """A cookie one server sets is sent to nobody, not even back."""
    up.script(Reply(200, b"{}", (("set-cookie", "session=abc; Path=/"),)))
    await transport.send(question(up), timeout=5)
    await transport.send(question(up), timeout=5)
    assert "cookie" not in up.last.headers


async def test_runaway_answer_is_cut_off(transport: Transport, up: Upstream) -> None:
    """An answer larger than any completion is given up, not collected in memory."""
    up.script(gigantic())
    with pytest.raises(ProviderProtocolError, match="larger than 32 MiB"):
        await transport.send(question(up), timeout=10)


async def test_connections_are_reused(transport: Transport, up: Upstream) -> None:
    """One connection serves many questions in a row."""
    for _ in range(5):
        await transport.send(question(up), timeout=5)
    assert up.connections.accepted == 1


async def test_dead_connection_in_the_pool_costs_one_try_at_most(
    transport: Transport, up: Upstream
) -> None:
    """After a server closed an idle connection, the next question gets through again."""
    up.script("idle_close")
    await transport.send(question(up), timeout=5)
    await up.until(lambda up: up.connections.open == 0)
    assert (await transport.send(question(up), timeout=5)).status == 200


async def test_leaving_caller_closes_the_connection(transport: Transport, up: Upstream) -> None:
    """When the caller leaves, the upstream sees it at once."""
    up.script(delayed(30))
    task = asyncio.create_task(transport.send(question(up), timeout=60))
    await up.until(lambda up: up.requests)
    task.cancel()
    left = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    await up.until(lambda up: up.disconnects)
    assert up.disconnects[0].at - left < 0.5


async def test_one_slow_upstream_blocks_nobody(transport: Transport, up: Upstream) -> None:
    """A question to a quick server is answered while a hundred others hang (S14)."""
    async with Upstream("openai", keys={KEY}) as slow:
        slow.always("stalled_headers")
        hanging = [
            asyncio.create_task(transport.send(question(slow), timeout=60)) for _ in range(100)
        ]
        await slow.until(lambda slow: len(slow.requests) == 100)
        started = time.monotonic()
        assert (await transport.send(question(up), timeout=5)).status == 200
        assert time.monotonic() - started < 5
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_closed_transport_opens_again(transport: Transport, up: Upstream) -> None:
    """Closing ends every connection; a later question opens a new one (S73)."""
    await transport.send(question(up), timeout=5)
    await transport.aclose()
    await up.until(lambda up: up.connections.open == 0)
    assert (await transport.send(question(up), timeout=5)).status == 200
    assert up.connections.accepted == 2


@pytest.mark.parametrize("user", ["", "me:p%40ss@"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Accept": "text/event-stream", "user-agent": "mine"}, {"Authorization": "Bearer one"}],
)
async def test_no_server_can_tell_the_engines_apart(
    headers: dict[str, str], user: str, up: Upstream
) -> None:
    """Path, headers and body are the same whichever sends them."""
    url = f"{up.origin}/v1/a%20b/ü?key=a+b#part".replace("http://", f"http://{user}")
    request = WireRequest("POST", url, headers, b"{}")
    for engine in ENGINES:
        transport = new_transport(engine)
        await transport.send(request, timeout=5)
        await transport.aclose()
    first, second = ((sent.path, sorted(sent.headers.items()), sent.body) for sent in up.requests)
    assert first == second


SEVERAL_LOOPS = """
import asyncio, sys
from faultmaven.infrastructure.llm.transport import new_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest

transport = new_transport(sys.argv[3])
request = WireRequest("GET", sys.argv[1] + "/models", {"authorization": "Bearer " + sys.argv[2]})
for _ in range(3):
    print(asyncio.run(transport.send(request, timeout=5)).status)
transport.discard()
"""


def test_new_event_loop_works(engine: EngineName) -> None:
    """A transport outlives the event loop it was used on: scripts run several."""
    with UpstreamThread("openai", keys={KEY}) as up:
        script = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", SEVERAL_LOOPS, up.upstream.base_url, KEY, engine],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (script.stdout.split(), script.stderr) == (["200"] * 3, "")
        assert up.connections.accepted == 3


def test_nothing_of_the_request_is_in_its_repr() -> None:
    """Printing a request shows neither headers nor body (S69)."""
    request = WireRequest("POST", "http://127.0.0.1", {"authorization": KEY}, b"secret prompt")
    assert KEY not in repr(request)
    assert "secret prompt" not in repr(request)


def test_process_has_one_transport() -> None:
    """Providers built by hand share one pool."""
    assert shared_transport() is shared_transport()


def test_the_setting_names_the_engine() -> None:
    """`HTTP_ENGINE` decides for all providers; each engine has one transport for the process."""
    for name in ENGINES:
        registry = ProviderRegistry(settings_of({"HTTP_ENGINE": name.upper()}))
        assert registry.transport is shared_transport(name)
        assert type(registry.transport) is type(new_transport(name))
    assert type(shared_transport()) is type(new_transport("httptools"))


THEN_AUTO = """
from faultmaven.infrastructure.llm.transport import new_transport
print(type(new_transport()).__name__)
"""


@pytest.mark.parametrize(
    "without", ["import sys; sys.modules['httptools'] = None", "import select; del select.poll"]
)
def test_httpx_serves_where_the_fast_engine_cannot(without: str) -> None:
    """A machine that has no wheel of its parser, or is Windows, asks its providers all the same."""
    script = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", without + THEN_AUTO], capture_output=True, text=True, check=True
    )
    assert script.stdout.split() == ["HttpxTransport"]
