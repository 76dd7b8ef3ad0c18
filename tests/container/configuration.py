"""Files that configure a service, written and spoilt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from upstreams import Upstream
from upstreams.exchange import Behaviour, Exchange, answer_well

SECRET = "sk-canary-0123456789abcdef"
"""A key that must show nowhere."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The ``.env`` and the providers file of one folder."""

    folder: Path

    def env(self, variables: Mapping[str, str]) -> None:
        """Write ``.env``."""
        lines = (f"{name}='{value}'\n" for name, value in variables.items())
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    def providers(self, text: str) -> Path:
        """Write the providers file; gives its path."""
        path = self.folder / "providers.toml"
        path.write_text(text, encoding="utf-8")
        return path

    @staticmethod
    def openai(up: Upstream, *, key: str = "") -> dict[str, str]:
        """Name variables that make an upstream the primary."""
        return {
            "CHAT_PROVIDER": "openai",
            "OPENAI_API_KEY": key or up.key,
            "OPENAI_API_BASE": up.base_url,
            "OPENAI_MODEL": up.model,
            "LOCAL_LLM_ENABLED": "false",
        }

    @staticmethod
    def row(name: str, up: Upstream) -> str:
        """Write a row whose key is in ``NEW_KEY``."""
        return f"""
[{name}]
provider_class = "OpenAIProvider"
api_key_var = "NEW_KEY"
model_var = "NEW_MODEL"
default_base_url = "{up.base_url}"
default_model = "{up.model}"
"""

    @staticmethod
    def held(let_go: asyncio.Event) -> Behaviour:
        """Answer well, once it may."""

        async def behaviour(exchange: Exchange) -> None:
            await let_go.wait()
            await answer_well(exchange)

        return behaviour


@asynccontextmanager
async def model_server(*models: str) -> AsyncIterator[str]:
    """Run a model server that lists its models and closes; gives its address."""
    catalogue = json.dumps({"models": [{"name": name} for name in models]}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + catalogue)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class Broken:
    """One way to spoil a configuration.

    Attributes:
        name: which.
        says: what the refusal must say, as a pattern.
        spoil: does it.
        secret: what must not show.
    """

    name: str
    says: str
    spoil: Callable[[Configuration, dict[str, str]], object]
    secret: str = SECRET


def _env(text: str) -> Callable[[Configuration, dict[str, str]], object]:
    """Add a line to what is good."""

    def spoil(configuration: Configuration, good: dict[str, str]) -> None:
        configuration.env(good)
        with (configuration.folder / ".env").open("a", encoding="utf-8") as file:
            file.write(text)

    return spoil


def _rows(text: str) -> Callable[[Configuration, dict[str, str]], object]:
    return lambda configuration, _good: configuration.providers(text)


BROKEN = (
    Broken("open quote", r"^\.env, line 8: ", _env(f'GEMINI_API_KEY="{SECRET}\n')),
    Broken(
        "number out of range",
        r"REQUEST_TIMEOUT \(\.env, line 8\)",
        _env(f"REQUEST_TIMEOUT=-1\nGEMINI_API_KEY={SECRET}\n"),
    ),
    Broken(
        "key in the wrong line",
        r"REQUEST_TIMEOUT \(\.env, line 8\)",
        _env(f"REQUEST_TIMEOUT={SECRET}\n"),
    ),
    Broken("misspelt preset", r"CHAIN_PRESET \(\.env, line 8\)", _env("CHAIN_PRESET=prodction\n")),
    Broken("misspelt primary", "CHAT_PROVIDER 'opnai'", _env("CHAT_PROVIDER=opnai\n")),
    Broken("misspelt fallback", "FALLBACK_CHAIN 'grok'", _env("FALLBACK_CHAIN=grok\n")),
    Broken(
        "no UTF-8",
        r"\.env: not UTF-8",
        lambda configuration, _: (configuration.folder / ".env").write_bytes(b"A=\xff\xfe\n"),
    ),
    Broken("nobody left", "no provider of the fallback chain", _env("OPENAI_API_KEY=\n")),
    Broken("no TOML", r"providers\.toml: not valid TOML.*line 2", _rows(f"\nkey = {SECRET}\n")),
    Broken(
        "wrong class",
        r"providers\.toml: provider 'own', field 'provider_class'",
        _rows('[own]\nprovider_class = "Nobody"\nmodel_var = "M"\ndefault_model = "m"\n'),
    ),
    Broken(
        "missing field",
        r"providers\.toml: provider 'own'.*default_model",
        _rows('[own]\nprovider_class = "OpenAIProvider"\nmodel_var = "M"\n'),
    ),
    Broken(
        "no providers file",
        r"providers\.toml: cannot be read",
        lambda configuration, _: (configuration.folder / "providers.toml").unlink(),
    ),
)
