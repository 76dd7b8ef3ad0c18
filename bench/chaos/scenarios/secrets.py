"""Every vendor's key is a canary: wherever else it is seen, it has got out."""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import Iterable, Sequence

from bench.chaos.client import CHAT, Reply
from bench.chaos.row import Row, exactly
from bench.chaos.stage import Stage, stage
from upstreams import Fault, fault_for, faults_for, stream_faults_for

_PREFIXES = {
    "fireworks": "fw_",
    "openai": "sk-",
    "anthropic": "sk-ant-",
    "gemini": "AIza",
    "huggingface": "hf_",
    "openrouter": "sk-or-",
    "local": "lk-",
}
_PATHS = (
    "/health",
    "/health/dependencies",
    "/health/ready",
    "/metrics",
    "/v1/models",
    "/api/v1/providers",
)
_WANTED = 25  # kinds of fault
_TIMEOUT = "0.3"  # seconds; a fault that stalls is not waited for


async def canaries(scale: float) -> list[Row]:
    """Every kind of fault at each of seven providers, plain and streamed."""
    keys = {name: prefix + chance.token_hex(16) for name, prefix in _PREFIXES.items()}
    places: dict[str, list[str]] = {}
    async with stage(tuple(keys), keys=keys, LOG_LEVEL="debug", LOG_FORMAT="json") as playing:
        kinds = {name: await _torment(playing, name, scale, places) for name in keys}
        replies = [await playing.client.ask(path=path) for path in _PATHS]
        places["health, metrics, lists"] = list(map(_shown, replies))
        places["reprs of our objects"] = [await playing.service.reprs()]
        await playing.service.end()
        places["logs and tracebacks"] = [playing.service.logs()]
    fewest, wanted = min(kinds.values()), min(_WANTED, round(_WANTED * scale * 10))
    note = f"{sum(kinds.values())} faults at {len(keys)} providers"
    rows = [
        exactly("canaries", f"keys in {place}", _found(texts, keys.values()), 0, note=note)
        for place, texts in places.items()
    ]
    played = Row("canaries", "kinds of fault at each provider", fewest, wanted, most=False)
    looked = min(len("".join(texts)) for texts in places.values())
    return [*rows, played, Row("canaries", "least text looked at", looked, 100, most=False)]


async def _torment(playing: Stage, name: str, scale: float, places: dict[str, list[str]]) -> int:
    """Let one provider fail in every way; in how many it was really asked."""
    vendor, reached = playing.vendors[name], 0
    for number, fault in enumerate(_faults(vendor.up.dialect.name, scale)):
        before, vendor.mood = vendor.calls, fault
        # Breakers are kept by model: with a model of its own each fault is met afresh.
        replies = await _asks(playing, model=f"{name}/canary-{number}")
        places.setdefault("answers and errors", []).extend(map(_shown, replies))
        reached += vendor.calls > before
        vendor.mood = "chunked"
        await _recover(playing, f"{name}/well-{number}")
    return reached


async def _recover(playing: Stage, model: str) -> None:
    """Ask until it answers: who was set aside for good is let out by an answer."""
    body = {"model": model, "messages": [{"role": "user", "content": "Well?"}]}
    for _ in range(20):
        if (await playing.client.ask(body)).good:
            return
        await asyncio.sleep(0.3)


def _faults(dialect: str, scale: float) -> Sequence[Fault]:
    """All of them, or an even choice; the one that repeats the key is never left out."""
    every = (*faults_for(dialect), *stream_faults_for(dialect))
    chosen = every[:: max(1, round(0.3 / scale))]
    echo = fault_for(dialect, "echo")
    return chosen if echo in chosen else (echo, *chosen)


async def _asks(playing: Stage, *, model: str) -> list[Reply]:
    body = {"model": model, "messages": [{"role": "user", "content": "Why?"}]}
    headers = {"x-request-timeout": _TIMEOUT}
    asked = (
        playing.client.ask(body | {"stream": stream}, path=CHAT, headers=headers)
        for stream in (False, True)
    )
    return list(await asyncio.gather(*asked))


def _shown(reply: Reply) -> str:
    return f"{reply.headers} {reply.body.decode(errors='replace')}"


def _found(texts: Iterable[str], keys: Iterable[str]) -> int:
    """How many of the keys are in the texts, whole or in their larger part."""
    everything = "\n".join(texts)
    return sum(key[-20:] in everything for key in keys)
