"""Where a request goes: a plain address is taken apart as httpx would do it."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.transport.address import USER_AGENT, address_of

_HOSTS = st.sampled_from(
    ["api.example.com", "127.0.0.1", "10.0.0.999", "1.2.3", "a..b", "x-1.y2", "LOCAL", "[::1]", ""]
) | st.text("a1.-", max_size=9)
_URLS = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{host}{port}{path}{query}",
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    _HOSTS,
    st.sampled_from(["", ":80", ":443", ":8080", ":0", ":65535", ":65536", ":x", ":"]),
    st.text("/.ab:~-%é ", max_size=9).map(lambda path: f"/{path}" if path else ""),
    st.sampled_from(["", "?", "?alt=sse", "?a=b&c=d", "?a=b c", "?é", "#part"]),
)


def _told(url: str) -> tuple[str, int | None, str, str] | None:
    try:
        address = address_of(url)
    except ProviderConnectionError:
        return None
    origin = address.origin
    return origin.host, origin.port, address.target, address.netloc


def _by_httpx(url: str) -> tuple[str, int | None, str, str] | None:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return None
    usual = {"http": 80, "https": 443}.get(parsed.scheme)
    host, port = parsed.raw_host.decode(), usual if parsed.port is None else parsed.port
    if not host or usual is None or port not in range(1, 65536):
        return None
    return host, port, parsed.raw_path.decode(), parsed.netloc.decode()


@given(_URLS)
def test_an_address_is_what_httpx_makes_of_it(url: str) -> None:
    """Host, port, path and ``Host`` header are the same, however the address is read."""
    assert _told(url) == _by_httpx(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/chat/completions",
        "http://127.0.0.1:11434/api/chat",
        "https://host.example/v1beta/models/gemini-2.0:streamGenerateContent?alt=sse",
    ],
)
def test_vendors_addresses_need_no_httpx(url: str) -> None:
    """A service that talks to them directly starts without loading httpx."""
    program = (
        "import sys\n"
        "from faultmaven.infrastructure.llm.transport import new_transport\n"
        "from faultmaven.infrastructure.llm.transport.address import address_of\n"
        "new_transport('httptools')\n"
        f"address_of({url!r})\n"
        "sys.exit('httpx' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - our own program


def test_all_engines_call_themselves_the_same() -> None:
    """The name is httpx's own, whoever sends it."""
    assert httpx.Client().headers["user-agent"] == USER_AGENT
