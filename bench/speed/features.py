"""FaultMaven's routes, and each of its features switched on in turn."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from bench.speed.answers import KEY, LAST, MODEL, QUOTE, chat
from bench.speed.gateway import Gateway, NotReadyError, started
from bench.speed.loading import Bursts, Meter, Streams
from bench.speed.measure import STREAMS, Extent, Stage, warm
from bench.speed.peers.faultmaven import FaultMaven
from bench.speed.peers.peer import CHAT
from bench.speed.record import FeatureRow
from bench.speed.turns import take_turn

_CONNECTIONS = 64
_ROUND = 2  # seconds
PLAIN = "as it comes"
"""FaultMaven with no more than a provider configured."""

SIX_PROVIDERS = "six providers configured"
"""All vendors have keys; the first one answers."""

ONE_WORKER, TWO_WORKERS = "one worker, both cores", "two workers, both cores"
"""Gateway and load share both cores."""

_BARE = "the least: a local provider, warnings logged"
_LOG = "\n".join(f"03:12:{second:02} node-1 app: write failed: {QUOTE}" for second in range(40))
_EVERYONE = ("fireworks", "openai", "anthropic", "gemini", "openrouter", "huggingface")
_LOCAL = {
    "CHAT_PROVIDER": "local",
    "LOCAL_LLM_ENABLED": "true",
    "LOCAL_LLM_URL": "{upstream}/v1",
    "LOCAL_LLM_MODEL": MODEL,
    "OPENAI_API_KEY": "",
}


@dataclass(frozen=True, slots=True)
class Route:
    """Something FaultMaven is asked for.

    Attributes:
        name: what the table calls it.
        path: where.
        body: what is posted; `#` becomes the number of the request.
        mark: words of a good answer.
        base: path of the upstream's interface.
        stream: whether the answer comes token by token, which then count.
    """

    name: str
    path: str
    body: Mapping[str, Any]
    mark: str = LAST
    base: str = "/v1"
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is switched on.

    Attributes:
        name: what the table calls it.
        variables: that switch it on.
        compared: the feature it is compared with.
        both: whether it has both processors, beside the load.
        needs: a variable that the measured version must know.
    """

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    compared: str = ""
    both: bool = False
    needs: str = ""


_QUESTION = "Why is the disk of node-1 full? This is question #."
_CHAT = Route("chat completions", CHAT, chat(_QUESTION))
_TURNS = [{"role": "user", "content": _QUESTION}]
_LONG = Route(
    "troubleshoot, log of 40 lines",
    "/api/v1/query/troubleshoot",
    {
        "session_id": "bench-#",
        "query": _QUESTION,
        "attachments": [{"name": "app.log", "content": _LOG}],
    },
    base="/diagnosis/v1",
)
ROUTES = (
    _CHAT,
    replace(_CHAT, name="chat completions, streamed (tokens)", stream=True),
    Route("messages", "/v1/messages", {"model": MODEL, "max_tokens": 256, "messages": _TURNS}),
    Route(
        "embeddings",
        "/v1/embeddings",
        {"model": MODEL, "input": _QUESTION},
        mark='"embedding"',
    ),
    Route(
        "troubleshoot, new session each",
        "/api/v1/query/troubleshoot",
        {"session_id": "bench-#", "query": f"{_QUESTION}\n{QUOTE}"},
        base="/diagnosis/v1",
    ),
    _LONG,
)
"""The routes, each measured as FaultMaven comes."""

_WORKERS = (
    Feature(ONE_WORKER, {}, both=True),
    Feature(TWO_WORKERS, {"WEB_CONCURRENCY": "2"}, ONE_WORKER, both=True),
)
FEATURES = (
    Feature(_BARE, {**_LOCAL, "LOG_LEVEL": "warning"}),
    Feature("redaction", {**_LOCAL, "LOG_LEVEL": "warning", "REDACT_LOCAL": "true"}, _BARE),
    Feature("access log, console", {**_LOCAL}, _BARE),
    Feature("access log, JSON", {**_LOCAL, "LOG_FORMAT": "json"}, _BARE),
    Feature(PLAIN, {}, _BARE),
    Feature("three keys that take turns", {"OPENAI_API_KEY": f"{KEY},{KEY}b,{KEY}c"}, PLAIN),
    Feature(
        SIX_PROVIDERS,
        {
            "FALLBACK_CHAIN": ",".join(name for name in _EVERYONE if name != "openai"),
            **{f"{name.upper()}_API_KEY": KEY for name in _EVERYONE},
            "FIREWORKS_API_KEY": "fw_0123456789abcdefghij",
            "HUGGINGFACE_API_KEY": "hf_0123456789abcdefghij",
        },
        PLAIN,
    ),
    Feature("hedging", {"HEDGE_AFTER": "p95"}, PLAIN, needs="HEDGE_AFTER"),
    Feature("single flight", {"SINGLE_FLIGHT": "true"}, PLAIN, needs="SINGLE_FLIGHT"),
    *_WORKERS,
)
"""The features, each at the route of chat completions."""


_Case: TypeAlias = tuple[Route, Feature]


async def feature_rows(source: Path, stage: Stage) -> list[FeatureRow]:
    """Every route as FaultMaven comes, and every feature that this version knows, in turns.

    Args:
        source: the checkout that is served.
        stage: where.
    """
    known = (source / ".env.example").read_text(encoding="utf-8")
    told = [feature for feature in FEATURES if f"{feature.needs}=" in known or not feature.needs]
    cases = [
        *((_CHAT, feature) for feature in told),
        *((route, Feature(PLAIN)) for route in ROUTES[1:]),
        *((_LONG, feature) for feature in _WORKERS),
    ]
    async with AsyncExitStack() as stack:
        served = [await _started(source, stage, stack, case=case) for case in cases]
        turns = [one for one in served if one is not None]
        for _ in range(stage.extent.rounds):
            for one in turns:
                await one.take_turn(stage.extent)
        return [one.row() for one in turns]


@dataclass(frozen=True, slots=True)
class _Served:
    """FaultMaven in one configuration; it stands still when it is not its turn."""

    case: _Case
    gateway: Gateway
    kind: Bursts | Streams

    async def take_turn(self, extent: Extent) -> None:
        await take_turn(self.gateway, self.kind, seconds=extent.seconds(_ROUND))

    def row(self) -> FeatureRow:
        route, feature = self.case
        measured = self.kind.total()
        print(f"{route.name}, {feature.name}: {measured.rate:.0f}/s", file=sys.stderr, flush=True)
        return FeatureRow(route.name, feature.name, measured, feature.compared)


async def _started(
    source: Path, stage: Stage, stack: AsyncExitStack, *, case: _Case
) -> _Served | None:
    route, feature = case
    cores = stage.cores.together if feature.both else stage.cores
    starting = started(
        FaultMaven(source=source, further=feature.variables, path=route.path, base=route.base),
        cache=stage.cache,
        upstream=stage.slow if route.stream else stage.prompt,
        cores=cores,
        body=route.body,
        mark=route.mark,
    )
    try:
        gateway = await stack.enter_async_context(starting)
    except NotReadyError as error:
        print(f"{route.name}, {feature.name}: {error}", file=sys.stderr)
        return None
    await warm(gateway, replace(stage, cores=cores))
    gateway.child.rest()
    meter = Meter(gateway.child, cores)
    kind = Streams(STREAMS, meter) if route.stream else Bursts(_CONNECTIONS, meter)
    return _Served(case, gateway, kind)
