"""FaultMaven's routes, and each of its features switched on in turn."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.speed.answers import CHUNKS, KEY, LAST, MODEL, QUOTE, chat
from bench.speed.gateway import NotReadyError, started
from bench.speed.loading import Meter, per, streamed
from bench.speed.measure import STREAMS, Stage, bursts
from bench.speed.peers.faultmaven import FaultMaven
from bench.speed.peers.peer import CHAT
from bench.speed.record import FeatureRow, Throughput

_CONNECTIONS = 64
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


async def feature_rows(source: Path, stage: Stage) -> list[FeatureRow]:
    """Every route as FaultMaven comes, then every feature that this version knows.

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
    rows = []
    for route, feature in cases:
        row = await _row(source, stage, route=route, feature=feature)
        rows += [row] if row else []
    return rows


async def _row(source: Path, stage: Stage, *, route: Route, feature: Feature) -> FeatureRow | None:
    ours = FaultMaven(source=source, further=feature.variables, path=route.path, base=route.base)
    cores = stage.cores.together if feature.both else stage.cores
    place = replace(stage, cores=cores)
    try:
        measured = await _measured(ours, place, route)
    except NotReadyError as error:
        print(f"{route.name}, {feature.name}: {error}", file=sys.stderr)
        return None
    print(f"{route.name}, {feature.name}: {measured.rate:.0f}/s", file=sys.stderr, flush=True)
    return FeatureRow(route.name, feature.name, measured, feature.compared)


async def _measured(ours: FaultMaven, stage: Stage, route: Route) -> Throughput:
    upstream = stage.slow if route.stream else stage.prompt
    async with started(
        ours,
        cache=stage.cache,
        upstream=upstream,
        cores=stage.cores,
        body=route.body,
        mark=route.mark,
    ) as gateway:
        await bursts(gateway, stage, connections=_CONNECTIONS, rounds=1, full=2)
        if not route.stream:
            return await bursts(
                gateway, stage, connections=_CONNECTIONS, rounds=stage.extent.rounds, full=2
            )
        outcome, meter = await streamed(
            gateway.target.streaming(),
            callers=STREAMS,
            seconds=stage.extent.seconds(4),
            cores=stage.cores,
            child=gateway.child,
        )
        return _tokens(len(outcome.whole_ms), outcome.errors, outcome.seconds, meter)


def _tokens(streams: int, errors: int, seconds: float, meter: Meter) -> Throughput:
    """Tokens instead of requests."""
    tokens = CHUNKS * streams
    return Throughput(
        connections=STREAMS,
        rates=[round(tokens / seconds, 1)],
        cpu_us=per(meter.cpu, tokens),
        p50_ms=0.0,
        p99_ms=0.0,
        errors=errors,
        others=round(meter.others_share, 3),
    )
